// The editor: one Go file, the findings of the checker, trials and pushes.

import { compareNames } from '../data/names.ts';
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { short, type CatalogEntry, type Diagnostic, type Revision } from '../data/catalog.ts';
import { defineGoEditor, type GoEditor } from '../editor/go-editor.ts';
import { templates } from '../editor/templates.ts';
import { below } from '../lib/router.ts';
import { RpcError } from '../lib/rpc.ts';
import { duration } from '../lib/units.ts';
import type { PageProps, Parts } from '../parts.ts';
import { Badge, Fault, Head } from '../ui/kit.tsx';
import { PushPanel } from './editor/push.tsx';
import { TryPanel } from './editor/try.tsx';
import { named, Work } from './editor/work.ts';
import '../style/work.css';

defineGoEditor();
const notFound = -32004;

export default function EditorPage({ params, ...parts }: PageProps) {
  const { session, store, router } = parts;
  const name = params.name ?? '';
  const work = useMemo(() => new Work(session.rpc, name), [name]);
  const editor = useRef<GoEditor>(null);
  const failed = useSignal<unknown>(null);
  useEffect(() => work.start(session.link), [work]);
  const live = session.link.value.kind === 'live';
  const load = async (): Promise<void> => {
    failed.value = null;
    try {
      if (!name) {
        if (!work.draft.peek()) work.begin(templates[1].source, '');
        return;
      }
      const entry = await session.rpc.call<CatalogEntry>('catalog.get', { name });
      work.aim(entry.selector);
      if (work.draft.peek()) return;
      // An inspector that was deleted or rolled back is edited from its last revision.
      const from = router.get('revision') || entry.current || entry.history?.find((h) => h.revision)?.revision || '';
      const revision = await session.rpc.call<Revision>('catalog.revision', { name, revision: from });
      if (revision.source === undefined) throw new Error('it is a plugin; there is no source to edit');
      work.begin(revision.source, revision.id);
    } catch (e) {
      // A draft of a missing inspector can be pushed as a new one.
      if (work.draft.peek() && e instanceof RpcError && e.code === notFound) work.aim('');
      else failed.value = e;
    }
  };
  useEffect(() => {
    if (live && (work.source.peek() === '' || !work.aimed.peek())) void load();
  }, [work, live]);
  const marks = useComputed(() => [...(work.checked.value?.diagnostics ?? []), ...work.ran.value]);
  const goTo = (line: number, col: number): void => editor.current?.goTo(line, col);
  const discard = async (): Promise<void> => {
    work.begin('', '');
    await load();
  };
  return (
    <>
      <Head title={name ? `Edit ${name}` : 'Write an inspector'} count={work.base.value && `from ${short(work.base.value)}`}>
        {work.draft.value && <Badge title="It stays here, in this browser, until it is pushed.">draft kept</Badge>}
        {work.draft.value && (
          <button type="button" class="button" onClick={() => void discard()}>
            Discard the draft
          </button>
        )}
        {name && <a href={below('/inspectors', name)}>Back to {name}</a>}
      </Head>
      {failed.value !== null && <Fault what={`cannot open ${name}`} error={failed.value} retry={() => void load()} />}
      {!name && <Templates work={work} />}
      <datalist id="labels-known">
        {knownLabels(store).map((l) => (
          <option key={l} value={l} />
        ))}
      </datalist>
      <div class="work">
        <div class="card editor">
          <go-editor ref={editor} value={work.source.value} faults={marks.value} changed={(text) => work.type(text)} label="Source of the inspector" />
          <Faults work={work} goTo={goTo} />
          <Below work={work} />
        </div>
        <div>
          <TryPanel {...parts} work={work} goTo={goTo} />
          <PushPanel {...parts} work={work} />
        </div>
      </div>
    </>
  );
}

/** Parts of selectors: the labels of the hosts, and their names as far as there is room. */
export function knownLabels(store: Parts['store']): string[] {
  const all = new Set<string>();
  for (const h of store.hosts.value) for (const [k, v] of Object.entries(h.info.value?.labels ?? {})) if (k !== 'host') all.add(`${k}=${v}`);
  const names = store.hosts.value.map((h) => `host=${h.name}`);
  return [...[...all].sort(compareNames), ...names.sort(compareNames)].slice(0, 500);
}

function Templates({ work }: { work: Work }) {
  return (
    <div class="templates" role="group" aria-label="Start from">
      <span class="hint">Start from:</span>
      {templates.map((t) => (
        <button type="button" class="button" key={t.id} title={t.about} disabled={work.draft.value} onClick={() => work.begin(t.source, '')}>
          {t.title}
        </button>
      ))}
      {work.draft.value && <span class="hint">The draft would be lost; discard it first.</span>}
    </div>
  );
}

/** The faults as a list, for users who cannot see the marks. */
function Faults({ work, goTo }: { work: Work; goTo: (line: number, col: number) => void }) {
  const list = work.checked.value?.diagnostics ?? [];
  if (list.length === 0) return null;
  return (
    <ul class="faults" aria-label="Faults">
      {list.map((d: Diagnostic, i) => (
        <li key={i}>
          <button type="button" onClick={() => goTo(d.line, d.col)}>
            {d.line > 0 && <code>{`${d.line}:${d.col} `}</code>}
            {d.message}
            {d.fix && <> ({d.fix})</>}
          </button>
        </li>
      ))}
    </ul>
  );
}

function Below({ work }: { work: Work }) {
  const checked = work.checked.value;
  const n = checked?.diagnostics.length ?? 0;
  return (
    <div class="row">
      {!named(work.source.value) && (
        <label class="check">
          Name
          <input class="field" placeholder="cpu/steal" value={work.name} readOnly={work.of !== ''} onInput={(e) => (work.name.value = e.currentTarget.value)} />
        </label>
      )}
      <span class="hint" role="status" data-checked={work.fresh.value ? n : undefined}>
        {work.checkError.value || (!work.fresh.value ? 'Checking.' : n === 1 ? '1 fault' : n > 0 ? `${n} faults` : `No faults. Runs every ${duration((checked?.interval_ms ?? 0) / 1000)}.`)}
      </span>
      <span class="hint">Tab indents; Esc, then Tab leaves.</span>
    </div>
  );
}
