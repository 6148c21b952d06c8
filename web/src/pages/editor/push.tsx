// Pushes the code in the editor: to which hosts, which of them will refuse it, how
// fast, and what it changes; then shows the rollout.

import { useSignal } from '@preact/signals';
import { useAsk } from '../../data/ask.ts';
import { short, type CatalogEntry, type Checked, type Pushed, type Revision } from '../../data/catalog.ts';
import { parseDuration, parseStages, planText } from '../../lib/plan.ts';
import { at, below } from '../../lib/router.ts';
import type { Parts } from '../../parts.ts';
import { DiffView } from '../../ui/code.tsx';
import { Badge } from '../../ui/kit.tsx';
import { waits } from '../../data/waits.ts';
import { RolloutView } from '../../ui/rollout.tsx';
import { signAgain, signedPush, signersWanted, type Work } from './work.ts';

const mostNames = 12;

/** The fault of a field, or ''. */
function fault(read: () => unknown): string {
  try {
    read();
    return '';
  } catch (e) {
    return e instanceof Error ? e.message : String(e);
  }
}

export function PushPanel({ session, router, work }: Parts & { work: Work }) {
  const name = work.checked.value?.name || work.of;
  const entry = useAsk<CatalogEntry>(session, 'catalog.get', { name }, `catalog/${name}`);
  const current = useAsk<Revision>(session, 'catalog.revision', { name, revision: entry.data.value?.current ?? '' });
  const [stages, bake, message] = [useSignal('1,100%'), useSignal('10s'), useSignal('')];
  const allowNone = useSignal(false);
  const [busy, error, conflict] = [useSignal(false), useSignal(''), useSignal('')];
  const known = entry.data.value && entry.error.value === null ? entry.data.value : null;
  const runs = known && known.current && current.data.value?.id === known.current ? current.data.value : null;
  const checked = work.checked.value;
  const faults = [fault(() => parseStages(stages.value)), fault(() => parseDuration(bake.value))].filter(Boolean);
  const ready = work.isNamed && work.aimed.value && work.fresh.value && checked?.diagnostics.length === 0 && faults.length === 0 && (!checked.nobody || allowNone.value) && !busy.value;

  const push = async (): Promise<void> => {
    busy.value = true;
    error.value = conflict.value = '';
    try {
      const got = await session.rpc.call<Pushed>(
        'catalog.push',
        {
          code: work.code,
          selector: work.selector.value,
          allow_none: allowNone.value,
          message: message.value,
          plan: { stages: parseStages(stages.value), bake_ms: parseDuration(bake.value) },
          version: known?.version ?? '',
        },
        { timeout: 60_000 }, // it is built first
      );
      work.pushed(got.revision);
      message.value = '';
      conflict.value = got.not_built ? `It is pushed, but the master could not build it first: ${got.not_built}` : '';
      if (got.proposal) conflict.value = waits(got.proposal);
      else if (!got.rollout) error.value = 'Nothing changed: that is what runs already.';
      else if (name === work.of) router.set({ rollout: got.rollout }, true);
      else router.go(at(below('/editor', name), { rollout: got.rollout }));
    } catch (e) {
      error.value = e instanceof Error ? e.message : String(e);
      void entry.again();
    } finally {
      busy.value = false;
    }
  };

  return (
    <section class="card push-panel" aria-labelledby="push-title">
      <h2 id="push-title">Push {work.isNamed && name}</h2>
      <div class="form">
        <label>
          To hosts with these labels
          <input class="field" list="labels-known" placeholder="every host" value={work.selector} onInput={(e) => (work.selector.value = e.currentTarget.value)} />
        </label>
        <label>
          Stages
          <input class="field" placeholder="all at once" value={stages} onInput={(e) => (stages.value = e.currentTarget.value)} />
        </label>
        <label>
          Each must stay healthy for
          <input class="field" placeholder="10s" value={bake} onInput={(e) => (bake.value = e.currentTarget.value)} />
        </label>
        <label>
          Message
          <input class="field" placeholder="why" value={message} onInput={(e) => (message.value = e.currentTarget.value)} />
        </label>
      </div>
      {faults.map((f) => (
        <p class="said">{f}</p>
      ))}
      {known && !known.deleted && known.current !== work.base.value && (
        <p class="warn-text">
          {known.author} changed it to {short(known.current)} since this was begun; a push takes the place of that.
        </p>
      )}
      {checked && <Preview checked={checked} allowNone={allowNone} />}
      {checked && <Refusals checked={checked} command={signedPush({ name: work.isNamed ? name : '', selector: work.selector.value, stages: stages.value, bake: bake.value, message: message.value })} />}
      {runs?.source !== undefined && runs.source !== work.source.value && (
        <details>
          <summary>
            What changes from {short(runs.id)}, which runs now {known?.selector !== work.selector.value && <Badge tone="warn">other hosts</Badge>}
          </summary>
          <DiffView before={runs.source} after={work.source.value} label="What changes" />
        </details>
      )}
      <div class="row">
        <button type="button" class="button first" disabled={!ready} onClick={() => void push()}>
          {busy.value ? 'Pushing' : 'Push'}
        </button>
        <span class="hint">{!work.isNamed ? 'It has no name yet: give it one below the text.' : faults.length === 0 && planText({ stages: parseStages(stages.value), bake_ms: parseDuration(bake.value) })}</span>
      </div>
      {error.value && (
        <p class="said" role="alert">
          {error}
        </p>
      )}
      {conflict.value && <p class="hint">{conflict}</p>}
      {router.get('rollout') && <RolloutView session={session} id={router.get('rollout')} />}
    </section>
  );
}

function Preview({ checked, allowNone }: { checked: Checked; allowNone: { value: boolean } }) {
  const names = checked.selected ?? [];
  const more = checked.hosts - Math.min(names.length, mostNames);
  return (
    <>
      <p class="hint" data-hosts={checked.hosts}>
        Goes to {checked.hosts === 1 ? '1 host' : `${checked.hosts} hosts`}
        {names.length > 0 && `: ${names.slice(0, mostNames).join(', ')}`}
        {names.length > 0 && more > 0 && ` and ${more} more`}.{(checked.drops ?? 0) > 0 && ` ${checked.drops} that have it now lose it.`}
        {(checked.replaces ?? 0) > 0 && ` It replaces the built-in inspector on ${checked.replaces} of them, until it is deleted.`}
      </p>
      {checked.nobody && (
        <p class="said">
          {checked.nobody}.{' '}
          <label class="check">
            <input type="checkbox" checked={allowNone.value} onChange={(e) => (allowNone.value = e.currentTarget.checked)} /> Push anyway
          </label>
        </p>
      )}
    </>
  );
}

function Refusals({ checked, command }: { checked: Checked; command: string }) {
  const list = checked.refusals ?? [];
  if (list.length === 0) return null;
  const signers = signersWanted(list.map((r) => r.reason));
  return (
    <div class="refusals">
      <p class="warn-text">
        {list.length} of {checked.hosts} will refuse it:
      </p>
      <ul class="plain-list" tabIndex={0} aria-label="Hosts that will refuse it">
        {list.map((r) => (
          <li key={r.host}>
            <b>{r.host}</b> {r.reason}
          </li>
        ))}
      </ul>
      {signers > 0 && (
        <>
          <p class="hint">This page has no key. Save the code as a file, and push it signed from where your key is:</p>
          <pre tabIndex={0} aria-label="The command that signs">
            {command}
          </pre>
        </>
      )}
      {signers > 1 && (
        <>
          <p class="hint">{signers === 2 ? 'Then a second person signs it:' : `Then ${signers - 1} more people sign it, each with their own key:`}</p>
          <pre tabIndex={0} aria-label="The command that signs again">
            {signAgain(checked.name)}
          </pre>
        </>
      )}
    </div>
  );
}
