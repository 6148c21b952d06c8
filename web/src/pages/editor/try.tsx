// Tries a draft beside its code: hosts, a live chart, values, output, errors at their
// places, and the cost.

import { effect, useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { Diagnostic } from '../../data/catalog.ts';
import { Trial, type TrialHost } from '../../data/trial.ts';
import { labelText } from '../../data/store.ts';
import { placeInText } from '../../editor/places.ts';
import { duration, format, meaningOf } from '../../lib/units.ts';
import type { Parts } from '../../parts.ts';
import { State } from '../../ui/kit.tsx';
import { LineCharts } from '../../ui/lines.tsx';
import { Table, type TableColumn } from '../../ui/table.tsx';
import type { Work } from './work.ts';

const times = [
  [10_000, '10 s'],
  [30_000, '30 s'],
  [120_000, '2 min'],
  [600_000, '10 min'],
] as const;

/** One value of one host, as a row. */
export interface ValueRow {
  id: string;
  host: string;
  name: string;
  value: number;
  text: string;
}

/** What runs have said about places in the code, without duplicates. */
export function runFaults(hosts: TrialHost[]): Diagnostic[] {
  const found = new Map<string, Diagnostic>();
  for (const { host, error } of hosts) {
    const place = placeInText(error);
    const id = place ? `${place.line}:${place.col}` : '';
    if (place && !found.has(id)) found.set(id, { file: '', ...place, message: `${host}: ${error}` });
  }
  return [...found.values()];
}

export function valueRows(hosts: TrialHost[]): ValueRow[] {
  return hosts.flatMap((h) =>
    h.values.map((v) => {
      const item = v.key.split('/').slice(1).join('/') || v.key;
      const { unit, rate } = meaningOf(item, undefined);
      const name = v.key + labelText(v.labels);
      // A counter is shown as its count; the chart shows its rate.
      return { id: `${h.host} ${name}`, host: h.host, name, value: v.value, text: rate ? format(v.value, '') : format(v.value, unit) };
    }),
  );
}

const columns: TableColumn<ValueRow>[] = [
  { id: 'host', title: 'Host', heads: true, by: (r) => r.host, cell: (r) => r.host },
  { id: 'name', title: 'Value of', by: (r) => r.name, cell: (r) => <span class="reason">{r.name}</span> },
  { id: 'value', title: 'Now', number: true, by: (r) => r.value, cell: (r) => <span title={String(r.value)}>{r.text}</span> },
];

export function TryPanel({ session, store, view, router, work, goTo }: Parts & { work: Work; goTo: (line: number, col: number) => void }) {
  const trial = useMemo(() => new Trial(session.rpc, store), []);
  const selector = useSignal(router.get('to'));
  const forMs = useSignal<number>(times[1][0]);
  useEffect(() => () => trial.close(), []);
  const live = session.link.value.kind === 'live';
  useEffect(() => {
    if (!live) trial.lost();
  }, [live]);
  // A new inspector is tried on one host, unless somebody wants more.
  const first = store.hosts.value.find((h) => h.info.value?.state === 'up' && !h.info.value.simple)?.name ?? '';
  const chosen = selector.value || (first ? `host=${first}` : '');
  useEffect(
    () =>
      effect(() => {
        // The text that runs is the one at the start of the trial.
        const faults = runFaults(trial.hosts.value);
        if (trial.source === work.source.peek()) work.ran.value = faults;
      }),
    [],
  );
  const running = trial.phase.value === 'running' || trial.phase.value === 'starting';
  const start = (): void => void trial.start(work.code, { selector: chosen }, forMs.value);
  useEffect(() => {
    const key = (e: KeyboardEvent): void => {
      if (e.key !== 'Enter' || !(e.ctrlKey || e.metaKey)) return;
      e.preventDefault();
      e.stopPropagation();
      start();
    };
    document.addEventListener('keydown', key, true);
    return () => document.removeEventListener('keydown', key, true);
  }, [chosen, forMs.value]);
  return (
    <section class="card try" aria-labelledby="try-title">
      <h2 id="try-title">Try</h2>
      <div class="form">
        <label>
          On hosts with these labels
          <input
            class="field"
            list="labels-known"
            placeholder={chosen || 'role=db'}
            value={selector}
            onInput={(e) => (selector.value = e.currentTarget.value)}
          />
        </label>
        <label>
          For
          <select class="field" value={forMs.value} onChange={(e) => (forMs.value = Number(e.currentTarget.value))}>
            {times.map(([ms, label]) => (
              <option key={ms} value={ms}>
                {label}
              </option>
            ))}
          </select>
        </label>
      </div>
      <div class="row">
        <button type="button" class="button first" title="Ctrl or ⌘ with Enter" disabled={!live || chosen === ''} onClick={start}>
          {running ? 'Try again' : 'Try'}
        </button>
        {running && (
          <button type="button" class="button" onClick={() => void trial.stop()}>
            Stop
          </button>
        )}
        <span class="hint" role="status" data-first={trial.firstMs.value > 0 ? Math.round(trial.firstMs.value) : undefined}>
          {said(trial)}
        </span>
      </div>
      {trial.error.value && (
        <p class="said" role="alert">
          {trial.error}
        </p>
      )}
      {trial.away.value.length > 0 && <p class="hint">Away: {trial.away.value.join(', ')}</p>}
      <Hosts list={trial.hosts.value} goTo={goTo} />
      {trial.chart.host.charts.value.length > 0 && <LineCharts lines={trial.chart} view={view} />}
      {valueRows(trial.hosts.value).length > 0 && <Table label="Values by host" columns={columns} rows={valueRows(trial.hosts.value)} id={(r) => r.id} />}
      {trial.lines.value.length > 0 && (
        <pre class="printed" tabIndex={0} role="region" aria-label="What the script printed">
          {trial.lines.value.map((l) => `${l.host}: ${l.text}\n`)}
        </pre>
      )}
    </section>
  );
}

function said(trial: Trial): string {
  const ms = trial.firstMs.value;
  const first = ms > 0 ? `, first sample after ${Math.round(ms)} ms` : '';
  switch (trial.phase.value) {
    case 'idle':
      return 'Runs once a second, saves nothing.';
    case 'starting':
      return 'Starting.';
    case 'running':
      return `Running${first}.`;
    case 'ended':
      return `Ended${first}.`;
  }
}

function Hosts({ list, goTo }: { list: TrialHost[]; goTo: (line: number, col: number) => void }) {
  return (
    <ul class="plain-list">
      {list.map((h) => {
        const place = placeInText(h.error);
        return (
          <li key={h.host} data-host={h.host}>
            <State state={h.state}>
              {h.host}: {h.state}
            </State>{' '}
            {h.cost && h.cost.runs > 0 && (
              <span class="hint">
                {h.cost.runs} runs{h.cost.failures > 0 && `, ${h.cost.failures} failed`}, {duration(h.cost.cpu_seconds / h.cost.runs)} of a processor and{' '}
                {duration(h.cost.duration_seconds / h.cost.runs)} each, {h.cost.series} series
              </span>
            )}
            {h.error && <div class="said reason">{h.error}</div>}
            {place && (
              <button type="button" class="button" onClick={() => goTo(place.line, place.col)}>
                Go to line {place.line}
              </button>
            )}
          </li>
        );
      })}
    </ul>
  );
}
