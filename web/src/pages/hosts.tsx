// All hosts: as a table, or each with its charts.

import '../style/hosts.css';
import { useComputed } from '@preact/signals';
import { chosenAfter, chosenFrom } from '../data/selection.ts';
import { labelsOf } from '../data/table.ts';
import { at } from '../lib/router.ts';
import type { PageProps } from '../parts.ts';
import { ColumnMenu } from '../ui/column-menu.tsx';
import { FirstHost } from '../ui/first-host.tsx';
import { HostCharts } from '../ui/host-charts.tsx';
import { columnsOf, type HostRow } from '../ui/host-columns.tsx';
import { HostSelection } from '../ui/host-selection.tsx';
import { subjectOf } from '../ui/host-subject.ts';
import { HostTable } from '../ui/host-table.tsx';
import { Head } from '../ui/kit.tsx';
import type { HostModel } from '../data/store.ts';

export default function HostsPage(parts: PageProps) {
  const { store, router, fleet, session } = parts;
  const rows = useComputed(() => store.hosts.value.map((h) => rowOf(h, fleet.wrong.value.get(h.name))));
  if (store.hosts.value.length === 0) return <FirstHost {...parts} />;
  const charts = router.get('as') === 'charts';
  const query = router.get('q');
  const gone = rows.value.filter((r) => r.state === 'gone').length;
  const sick = rows.value.filter((r) => r.state !== 'gone' && r.wrong.length > 0).length;
  const labels = labelsOf(rows.value);
  const known = chosenFrom(router.get('sel'));
  const chosen = new Set(rows.value.map((r) => r.name).filter((n) => known.has(n)));
  return (
    <>
      <Head title="Hosts" count={<Count up={rows.value.length - gone} sick={sick} gone={gone} sort={router.get('sort')} />} bound={session.info.value?.bound}>
        <input
          type="search"
          class="field filter"
          placeholder="Filter: failing role=db"
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
        {rows.value.length > 1 && (
          <a class="button" href={at('/compare', { q: query })}>
            Compare
          </a>
        )}
        <a class="button" href="/members">
          Members
        </a>
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
          chosen={chosen}
          choose={(name, on) => router.set({ sel: chosenAfter(router.get('sel'), name, on) })}
          sort={router.get('sort')}
          onSort={(sort) => router.set({ sort: sort === 'host' ? '' : sort })}
        />
      )}
      {chosen.size > 0 && <HostSelection {...parts} chosen={chosen} />}
    </>
  );
}

/** 299 up, 2 of them with problems, 1 gone. */
export function countText(up: number, sick: number, gone: number): string {
  return [`${up} up`, sick > 0 && (sick === up ? 'with problems' : `${sick} of them with problems`), gone > 0 && `${gone} gone`].filter(Boolean).join(', ');
}

/** How many hosts there are. Where some have problems it has those first. */
function Count({ up, sick, gone, sort }: { up: number; sick: number; gone: number; sort: string }) {
  const text = countText(up, sick, gone);
  return sick + gone > 0 && up + gone > 1 && sort !== '-wrong' ? (
    <a href={at('/hosts', { sort: '-wrong' })} title="Those with problems first">
      {text}
    </a>
  ) : (
    <>{text}</>
  );
}

function rowOf(host: HostModel, wrong: { words: string[]; tone: 'bad' | 'warn' } | undefined): HostRow {
  const words = wrong?.words ?? [];
  return { name: host.name, host, ...subjectOf(host, words), wrong: words, tone: wrong?.tone ?? 'good', version: host.info.value?.version ?? '' };
}
