// Ask, in Explore: runs a probe once on every selected host, and shows the answers as a
// table that can be sorted, grouped, counted and saved.

import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { Asking, type Answered } from '../data/asking.ts';
import { answersCSV, answersJSON, cellOf, columnsOf, groupsOf, type Group } from '../data/asking-table.ts';
import type { Checked, Diagnostic } from '../data/catalog.ts';
import { defineGoEditor } from '../editor/go-editor.ts';
import { download } from '../lib/download.ts';
import { load, save } from '../lib/storage.ts';
import { format } from '../lib/units.ts';
import type { PageProps } from '../parts.ts';
import { ExploreTabs } from '../ui/explore-tabs.tsx';
import { Head, Waiting } from '../ui/kit.tsx';
import { Table, type TableColumn } from '../ui/table.tsx';
import { codeOf } from './editor/work.ts';
import example from './explore/probe.go.txt?raw';
import '../style/work.css';
import '../style/explore.css';

defineGoEditor();

const settle = 300; // ms without a key before the checker is asked
const longestLink = 6_000; // the most letters of a probe that an address may have
const times = [
  [10_000, '10 s'],
  [60_000, '1 min'],
  [600_000, '10 min'],
] as const;

export default function AskPage({ session, store, router }: PageProps) {
  const asking = useMemo(() => new Asking(session.rpc), []);
  const source = useSignal(router.get('code') || load('ask', example));
  const selector = useSignal(router.get('to'));
  const forMs = useSignal<number>(times[0][0]);
  const checked = useChecked(session, source);
  useEffect(() => () => asking.close(), []);
  const live = session.link.value.kind === 'live';
  useEffect(() => {
    if (!live) asking.lost();
  }, [live]);
  const faults = checked.value.length > 0 ? checked.value : asking.faults.value;
  const type = (text: string): void => {
    source.value = text;
    save('ask', text);
  };
  const start = (): void => {
    const code = source.peek();
    router.set({ to: selector.peek(), code: code.length <= longestLink ? code : '' }, true);
    void asking.start(codeOf(code, 'ask/probe'), selector.peek().trim(), forMs.peek());
  };
  const busy = asking.phase.value === 'asking';
  const by = router.get('by').split(',').filter(Boolean);
  const rows = asking.rows.value;
  return (
    <>
      <Head title="Explore">
        <button type="button" class="button" disabled={rows.length === 0} onClick={() => download('answers.csv', 'text/csv', answersCSV(rows, by))}>
          CSV
        </button>
        <button type="button" class="button" disabled={asking.asked.value === 0} onClick={() => download('answers.json', 'application/json', answersJSON(rows, by, asking.silent.value))}>
          JSON
        </button>
      </Head>
      <ExploreTabs session={session} here="ask" />
      <section class="card ask" aria-label="The question">
        <go-editor class="short" value={source.value} faults={faults} changed={type} label="Probe" />
        <Faults list={faults} />
        <div class="row">
          <label class="check">
            On hosts with these labels
            <input class="field" placeholder="every host" spellcheck={false} value={selector} onInput={(e) => (selector.value = e.currentTarget.value)} onKeyDown={(e) => e.key === 'Enter' && live && !busy && start()} />
          </label>
          <label class="check">
            for at most
            <select class="field" value={forMs.value} onChange={(e) => (forMs.value = Number(e.currentTarget.value))}>
              {times.map(([ms, text]) => (
                <option key={ms} value={ms}>
                  {text}
                </option>
              ))}
            </select>
          </label>
          {busy ? (
            <button type="button" class="button" onClick={() => void asking.stop()}>
              Stop
            </button>
          ) : (
            <button type="button" class="button first" disabled={!live || checked.value.length > 0 || source.value.trim() === ''} onClick={start}>
              Ask
            </button>
          )}
          <span class="hint" role="status" data-phase={asking.phase.value}>
            {said(asking, store.hosts.value.length)}
          </span>
        </div>
        {asking.error.value && (
          <p class="said" role="alert">
            {asking.error}
          </p>
        )}
      </section>
      {asking.phase.value !== 'idle' && (
        <section class="card" aria-label="Answers" data-answers={rows.length}>
          <GroupBy columns={columnsOf(rows)} by={by} choose={(list) => router.set({ by: list.join(',') })} />
          <Answers rows={rows} by={by} waiting={busy} />
          <SilentHosts asking={asking} />
        </section>
      )}
    </>
  );
}

/** The faults of a text, as the checker of the master has them, while it is typed. */
function useChecked(session: PageProps['session'], source: Signal<string>): Signal<Diagnostic[]> {
  const faults = useSignal<Diagnostic[]>([]);
  const text = source.value;
  const live = session.link.value.kind === 'live';
  useEffect(() => {
    let wanted = true;
    const timer = setTimeout(() => {
      if (!live || text.trim() === '') return;
      session.rpc.call<Checked>('catalog.check', { code: codeOf(text, 'ask/probe'), selector: '' }).then(
        (checked) => wanted && (faults.value = checked.diagnostics ?? []),
        () => {}, // asking reports the fault
      );
    }, settle);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [text, live]);
  return faults;
}

/** How far it is. */
export function said(asking: Pick<Asking, 'phase' | 'asked' | 'awaited' | 'silent' | 'rows'>, known: number): string {
  const asked = asking.asked.value;
  switch (asking.phase.value) {
    case 'idle':
      return `Runs once, saves nothing. ${known} ${known === 1 ? 'host is' : 'hosts are'} known.`;
    case 'asking':
      return asked === 0 ? 'Asking.' : `${asked - asking.awaited.value} of ${asked} hosts have answered or cannot.`;
    case 'done': {
      const silent = asking.silent.value.length;
      return asked === 0 ? '' : `${asked - silent} of ${asked} hosts answered, ${asking.rows.value.length} values.`;
    }
  }
}

function Faults({ list }: { list: Diagnostic[] }) {
  if (list.length === 0) return null;
  return (
    <ul class="plain-list" aria-label="Faults">
      {list.map((d, i) => (
        <li key={i} class="said">
          {d.line > 0 && `${d.line}:${d.col} `}
          {d.message}
          {d.fix && ` (${d.fix})`}
        </li>
      ))}
    </ul>
  );
}

function GroupBy({ columns, by, choose }: { columns: string[]; by: string[]; choose: (by: string[]) => void }) {
  // The columns in the address are offered even before there is an answer.
  const all = [...columns, ...by.filter((c) => !columns.includes(c))];
  return (
    <div class="row" role="group" aria-label="Group by">
      <span class="hint">Group by</span>
      {all.map((c) => (
        <button key={c} type="button" class="button" aria-pressed={by.includes(c)} onClick={() => choose(by.includes(c) ? by.filter((b) => b !== c) : [...by, c])}>
          {c}
        </button>
      ))}
    </div>
  );
}

const plain = (v: number) => <span title={String(v)}>{format(v, '')}</span>;
const mostRows = 500;
const mostNames = 12;

function Answers({ rows, by, waiting }: { rows: Answered[]; by: string[]; waiting: boolean }) {
  if (rows.length === 0) return <Waiting>{waiting ? 'Waiting for the first answer.' : 'No host gave a value.'}</Waiting>;
  if (by.length > 0) return <Groups groups={groupsOf(rows, by)} by={by} />;
  const columns = columnsOf(rows).map(
    (c): TableColumn<Answered> => ({
      id: c,
      title: c,
      heads: c === 'host',
      number: c === 'value',
      by: (r) => (c === 'value' ? r.value : cellOf(r, c)),
      cell: (r) => (c === 'value' ? plain(r.value) : <span class="reason">{cellOf(r, c)}</span>),
    }),
  );
  return (
    <>
      <Table label="Answers by host" columns={columns} rows={rows.slice(0, mostRows)} id={(r) => JSON.stringify([r.host, r.key, r.labels])} sort="host" />
      {rows.length > mostRows && <p class="hint">The first {mostRows} of {rows.length} values. Group them, or save them all.</p>}
    </>
  );
}

function Groups({ groups, by }: { groups: Group[]; by: string[] }) {
  const columns: TableColumn<Group>[] = [
    ...by.map((c, i): TableColumn<Group> => ({ id: `by ${c}`, title: c, heads: i === 0, by: (g) => g.by[c], cell: (g) => <span class="reason">{g.by[c] || '–'}</span> })),
    { id: 'hosts', title: 'Hosts', number: true, by: (g) => g.hosts.length, cell: (g) => g.hosts.length },
    { id: 'names', title: 'Which', cell: (g) => <span class="reason">{g.hosts.slice(0, mostNames).join(', ') + (g.hosts.length > mostNames ? ' …' : '')}</span> },
    ...(['values', 'min', 'mean', 'max'] as const).map((c): TableColumn<Group> => ({ id: c, title: c === 'values' ? 'Values' : c, number: true, by: (g) => g[c], cell: (g) => plain(g[c]) })),
  ];
  return <Table key={by.join(',')} label="Answers in groups" columns={columns} rows={groups} id={(g) => g.id} />;
}

function SilentHosts({ asking }: { asking: Asking }) {
  const list = asking.silent.value;
  if (list.length === 0) return null;
  return (
    <section aria-label="Hosts that did not answer">
      <h2 class="warn-text">
        {list.length} of {asking.asked.value} {asking.asked.value === 1 ? 'host' : 'hosts'} did not answer, or only in part
      </h2>
      <ul class="plain-list">
        {list.map(({ host, why }) => (
          <li key={host} data-silent={host}>
            <b>{host}</b>: {why}
          </li>
        ))}
      </ul>
    </section>
  );
}
