// All hosts: as a table, or each with its charts.

import '../style/hosts.css';
import { useComputed } from '@preact/signals';
import { labelsOf } from '../data/table.ts';
import type { PageProps } from '../parts.ts';
import { ColumnMenu } from '../ui/column-menu.tsx';
import { FirstHost } from '../ui/first-host.tsx';
import { HostCharts } from '../ui/host-charts.tsx';
import { columnsOf, type HostRow } from '../ui/host-columns.tsx';
import { HostTable } from '../ui/host-table.tsx';
import { Head } from '../ui/kit.tsx';
import type { HostModel } from '../data/store.ts';

export default function HostsPage(parts: PageProps) {
  const { store, router, fleet } = parts;
  const rows = useComputed(() => store.hosts.value.map((h) => rowOf(h, fleet.wrong.value.get(h.name))));
  if (store.hosts.value.length === 0) return <FirstHost {...parts} />;
  const charts = router.get('as') === 'charts';
  const query = router.get('q');
  const gone = rows.value.filter((r) => r.state === 'gone').length;
  const up = rows.value.length - gone;
  const labels = labelsOf(rows.value);
  return (
    <>
      <Head title="Hosts" count={`${up} up${gone > 0 ? `, ${gone} gone` : ''}`}>
        <input
          type="search"
          class="field filter"
          placeholder="Filter: web failing role=db"
          aria-label="Filter hosts"
          list="hosts-labels"
          spellcheck={false}
          value={query}
          onInput={(e) => router.set({ q: e.currentTarget.value })}
        />
        <datalist id="hosts-labels">
          {[...labels].flatMap(([n, values]) => values.slice(0, 20).map((v) => <option key={`${n}=${v}`} value={`${n}=${v}`} />))}
        </datalist>
        {!charts && labels.size > 0 && (
          <select class="field" aria-label="Group by" value={router.get('group')} onChange={(e) => router.set({ group: e.currentTarget.value })}>
            <option value="">No groups</option>
            {[...labels.keys()].map((n) => (
              <option key={n} value={n}>
                By {n}
              </option>
            ))}
          </select>
        )}
        {!charts && <ColumnMenu store={store} chosen={columnsOf(router.get('cols'))} choose={(cols) => router.set({ cols })} />}
        <span class="segments" role="group" aria-label="Form">
          <button type="button" aria-pressed={!charts} onClick={() => router.set({ as: '' })}>
            Table
          </button>
          <button type="button" aria-pressed={charts} onClick={() => router.set({ as: 'charts' })}>
            Charts
          </button>
        </span>
      </Head>
      {charts ? (
        <HostCharts {...parts} rows={rows.value} query={query} />
      ) : (
        <HostTable
          {...parts}
          rows={rows}
          columns={columnsOf(router.get('cols'))}
          query={query}
          group={router.get('group')}
          sort={router.get('sort')}
          onSort={(sort) => router.set({ sort: sort === 'host' ? '' : sort })}
        />
      )}
    </>
  );
}

function rowOf(host: HostModel, wrong: { words: string[]; tone: 'bad' | 'warn' } | undefined): HostRow {
  const info = host.info.value;
  const labels = { ...info?.labels, host: host.name };
  const words = wrong?.words ?? [];
  const late = words.includes('late');
  const state = info?.state === 'gone' ? 'gone' : late ? 'late' : 'up';
  const errors = (info?.inspectors ?? []).filter((i) => i.error && i.state !== 'ok').map((i) => i.error);
  const inspectors = (info?.inspectors ?? []).map((i) => i.name);
  const pairs = Object.entries(labels).map(([n, v]) => `${n}=${v}`);
  const text = [host.name, state, info?.version, info?.os, info?.arch, ...pairs, ...words, ...errors, ...inspectors].join(' ').toLowerCase();
  return { name: host.name, host, state, labels, text, wrong: words, tone: wrong?.tone ?? 'good', version: info?.version ?? '' };
}
