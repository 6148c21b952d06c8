// A rollout in progress: a bar for each stage, receipts as they arrive, and the
// operator's buttons.

import { useSignal } from '@preact/signals';
import { useAsk } from '../data/ask.ts';
import { going, short, type Receipt, type Receipts, type Rollout, type RolloutStage, type Summary } from '../data/catalog.ts';
import { compareNames } from '../data/names.ts';
import { stageName } from '../lib/plan.ts';
import { at, below, hostPath } from '../lib/router.ts';
import type { Parts } from '../parts.ts';
import { Ago, Fault, State, Waiting } from './kit.tsx';
import { Table, type TableColumn } from './table.tsx';

const parts = ['healthy', 'failed', 'refused', 'pending'] as const;

/** The state of a stage, in a few words. */
export function stageState(r: Pick<Rollout, 'state' | 'stage'>, i: number, s: RolloutStage): string {
  if (s.done_ms) return 'done';
  if (i > r.stage || !s.started_ms) return r.state === 'running' || r.state === 'paused' ? 'not yet' : 'not reached';
  if (r.state !== 'running') return r.state;
  return s.healthy_ms ? 'baking' : 'going on';
}

export function summaryText(s: Summary): string {
  const counts = parts.filter((p) => s[p] > 0 && p !== 'healthy').map((p) => `${s[p]} ${p}`);
  return [`${s.healthy} of ${s.hosts} healthy`, ...counts].join(', ');
}

export function SummaryBar({ summary }: { summary: Summary }) {
  const all = Math.max(summary.hosts, 1);
  return (
    <span class="stage-bar" role="img" aria-label={summaryText(summary)}>
      {parts.map((p) => summary[p] > 0 && <i key={p} data-part={p} style={{ width: `${(100 * summary[p]) / all}%` }} />)}
    </span>
  );
}

function Stages({ rollout }: { rollout: Rollout }) {
  return (
    <ol class="stages">
      {(rollout.stages ?? []).map((s, i) => (
        <li key={i} data-stage={stageState(rollout, i, s)} aria-current={i === rollout.stage && going(rollout) ? 'step' : undefined}>
          <b>{stageName({ count: s.count, percent: s.percent })}</b>
          <SummaryBar summary={s.summary} />
          <span>
            {stageState(rollout, i, s)}: {summaryText(s.summary)}
          </span>
        </li>
      ))}
    </ol>
  );
}

export const receiptColumns: TableColumn<Receipt>[] = [
  { id: 'host', title: 'Host', heads: true, by: (r) => r.host, cell: (r) => <a href={hostPath(r.host)}>{r.host}</a> },
  { id: 'state', title: 'State', by: (r) => r.state, cell: (r) => <State state={r.state} /> },
  { id: 'revision', title: 'Revision', by: (r) => r.revision, cell: (r) => <code>{short(r.revision)}</code> },
  { id: 'since', title: 'Since', by: (r) => r.at_ms, cell: (r) => (r.at_ms > 0 ? <Ago ms={r.at_ms} /> : '') },
  {
    id: 'reason', title: 'Reason', by: (r) => r.reason ?? '',
    cell: (r) => (
      <span class="reason">
        {r.reason}
        {r.running ? ` (${short(r.running)} goes on there)` : ''}
        {r.host_state === 'gone' ? ' The host is away.' : ''}
      </span>
    ),
  },
];

const worst: Record<string, number> = { failed: 0, refused: 1, pending: 2, received: 3, verified: 4, loaded: 5, healthy: 6 };

export function worstFirst(list: Receipt[]): Receipt[] {
  return [...list].sort((a, b) => (worst[a.state] ?? 3) - (worst[b.state] ?? 3) || compareNames(a.host, b.host));
}

const mostRows = 200;

/** Receipts in whose lines all words occur. */
export function having(list: Receipt[], filter: string): Receipt[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return list.filter((r) => {
    const text = [r.host, r.state, r.revision, r.reason, r.host_state].join(' ').toLowerCase();
    return words.every((w) => text.includes(w));
  });
}

export function ReceiptTable({ session, name, label }: Pick<Parts, 'session'> & { name: string; label: string }) {
  const ask = useAsk<Receipts>(session, 'catalog.receipts', { name }, `receipts/*/${name}`);
  const filter = useSignal('');
  if (ask.error.value && !ask.data.value) return <Fault what="cannot list the receipts" error={ask.error.value} retry={() => void ask.again()} />;
  if (!ask.data.value) return <Waiting>Asking the master.</Waiting>;
  const all = ask.data.value.receipts ?? [];
  const shown = having(worstFirst(all), filter.value);
  return (
    <>
      {all.length > 8 && (
        <input
          type="search"
          class="field"
          placeholder="Filter: db-1, failed"
          aria-label="Filter receipts"
          value={filter}
          onInput={(e) => (filter.value = e.currentTarget.value)}
        />
      )}
      <Table label={label} columns={receiptColumns} rows={shown.slice(0, mostRows)} id={(r) => r.host} empty={<Waiting>No host has it.</Waiting>} />
      {shown.length > mostRows && <p class="hint">And {shown.length - mostRows} more, which are no worse. The filter finds them.</p>}
    </>
  );
}

/** The buttons of a rollout, for those who may press them. */
function Controls({ session, rollout, again }: Pick<Parts, 'session'> & { rollout: Rollout; again: () => void }) {
  const error = useSignal('');
  const busy = useSignal(false);
  if (!session.may('operator')) return null;
  const call = (method: string, params: object): void => {
    busy.value = true;
    error.value = '';
    session.rpc
      .call(method, params)
      .then(again, (e: Error) => (error.value = e.message))
      .finally(() => (busy.value = false));
  };
  const press = (label: string, method: string, params: object = { rollout: rollout.id }) => (
    <button type="button" class="button" disabled={busy.value} onClick={() => call(method, params)}>
      {label}
    </button>
  );
  const undo = rollout.state === 'done' && rollout.action !== 'delete' && rollout.from !== '';
  return (
    <div class="row">
      {rollout.state === 'running' && press('Pause', 'rollouts.pause')}
      {rollout.state === 'paused' && press('Resume', 'rollouts.resume')}
      {going(rollout) && press('Abort and roll back', 'rollouts.abort')}
      {undo && press(`Roll back to ${short(rollout.from)}`, 'catalog.rollback', { name: rollout.inspector, revision: rollout.from })}
      {error.value && (
        <span class="said" role="alert">
          {error.value}
        </span>
      )}
    </div>
  );
}

function Failures({ list }: { list: Receipt[] }) {
  if (list.length === 0) return null;
  return <Table label="Hosts on which it did not do well" columns={receiptColumns} rows={list} id={(r) => r.host} />;
}

export function rolloutTitle(r: Rollout): string {
  const [from, to] = [r.from && short(r.from), r.to && short(r.to)];
  if (r.action === 'delete') return `${r.inspector} is taken off its hosts`;
  if (!from) return `${r.inspector} ${to} is new`;
  return from === to ? `${r.inspector} ${to} goes to other hosts` : `${r.inspector} goes from ${from} to ${to}`;
}

export function RolloutView({ session, id, receipts = true }: Pick<Parts, 'session'> & { id: string; receipts?: boolean }) {
  const ask = useAsk<Rollout>(session, 'rollouts.get', { rollout: id }, `rollouts/${id}`);
  if (ask.error.value && !ask.data.value) return <Fault what={`cannot show rollout ${id}`} error={ask.error.value} retry={() => void ask.again()} />;
  const r = ask.data.value;
  if (!r) return <Waiting>Asking the master.</Waiting>;
  return (
    <div class="rollout" data-rollout={r.id} data-state={r.state}>
      <p class="row" role="status">
        <State state={r.state} />
        <a href={at(`/rollouts/${encodeURIComponent(r.id)}`, {})}>rollout {r.id}</a>
        <span>{rolloutTitle(r)}</span>
        <span class="count">
          by {r.author}, <Ago ms={r.started_ms} />
        </span>
        <a href={below('/inspectors', r.inspector)}>{r.inspector}</a>
      </p>
      {r.message && <p class="reason">“{r.message}”</p>}
      {r.reason && <p class="reason said">{r.reason}</p>}
      <Stages rollout={r} />
      <Controls session={session} rollout={r} again={() => void ask.again()} />
      <Failures list={r.failures ?? []} />
      {receipts && <ReceiptTable session={session} name={r.inspector} label={`Receipts of ${r.inspector}`} />}
    </div>
  );
}
