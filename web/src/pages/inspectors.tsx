// The list of inspectors: the pushed ones, and those from the hosts' own configuration.

import { useAsk } from '../data/ask.ts';
import { short, type CatalogEntry, type Status } from '../data/catalog.ts';
import type { Host } from '../data/wire.ts';
import { draftNames } from '../editor/drafts.ts';
import { below } from '../lib/router.ts';
import { duration } from '../lib/units.ts';
import type { PageProps } from '../parts.ts';
import { Ago, Badge, Empty, Fault, Head, Waiting } from '../ui/kit.tsx';
import { Table, type TableColumn } from '../ui/table.tsx';
import { matching, rowsOf, trouble, type Row } from './inspectors/rows.ts';
import '../style/work.css';

const number = (n: number, tone: string) => <span class={n === 0 ? 'zero' : tone}>{n}</span>;

const columns: TableColumn<Row>[] = [
  { id: 'name', title: 'Inspector', heads: true, by: (r) => r.name, cell: (r) => <a href={below('/inspectors', r.name)}>{r.name}</a> },
  { id: 'healthy', title: 'Healthy', number: true, by: (r) => (r.hosts ? r.healthy / r.hosts : 1), cell: (r) => `${r.healthy} of ${r.hosts}` },
  { id: 'failing', title: 'Failing', number: true, by: (r) => r.failing, cell: (r) => number(r.failing, 'warn-text') },
  { id: 'refused', title: 'Refused', number: true, by: (r) => r.refused, cell: (r) => number(r.refused, 'warn-text') },
  { id: 'pending', title: 'Pending', number: true, by: (r) => r.pending, cell: (r) => number(r.pending, '') },
  { id: 'cost', title: 'Processor', number: true, by: (r) => r.cost, cell: (r) => (r.cost > 0 ? `${duration(r.cost)}/s` : '') },
  { id: 'origin', title: 'From', by: (r) => r.origin, cell: (r) => (r.origin === 'pushed' ? <Badge>pushed</Badge> : <Badge title="built in, or from the host’s own configuration">host’s own</Badge>) },
  { id: 'kind', title: 'Kind', by: (r) => r.kind, cell: (r) => r.kind },
  { id: 'revision', title: 'Revision', by: (r) => r.revision, cell: (r) => (r.revision ? <code>{short(r.revision)}</code> : 'several') },
  { id: 'targets', title: 'Targets', by: (r) => r.selector, cell: (r) => (r.origin === 'own' ? '' : r.selector || 'every host') },
  { id: 'at', title: 'Changed', by: (r) => r.atMs, cell: (r) => (r.atMs ? <><Ago ms={r.atMs} /> by {r.author}</> : '') },
];

export default function InspectorsPage({ session, store, router }: PageProps) {
  const ask = useAsk<{ inspectors: CatalogEntry[] | null }>(session, 'catalog.list', {}, 'catalog/*');
  // Only the list of hosts has the counts of runs.
  const hosts = useAsk<{ hosts: Host[] | null }>(session, 'hosts.list', {}, 'catalog/*');
  if (ask.error.value && !ask.data.value) return <Fault what="cannot list the inspectors" error={ask.error.value} retry={() => void ask.again()} />;
  if (!ask.data.value || !hosts.data.value) return <Waiting>Asking the master.</Waiting>;
  const statuses = (hosts.data.value.hosts ?? []).map((h) => ({ host: h.host, inspectors: (h.inspectors ?? []) as Status[] }));
  const rows = rowsOf(ask.data.value.inspectors ?? [], statuses).sort((a, b) => trouble(b) - trouble(a) || (a.origin === b.origin ? (a.name < b.name ? -1 : 1) : a.origin === 'pushed' ? -1 : 1));
  const may = session.may('operator');
  const drafts = may ? draftNames() : [];
  if (rows.length === 0) {
    return (
      <Empty title={store.hosts.value.length > 0 ? 'No inspector runs yet' : 'No host reports yet'} command="vedette push disk.go" first>
        {may && <a href="/editor">Write one here</a>}
      </Empty>
    );
  }
  return (
    <>
      <Head title="Inspectors" count={`${rows.length}`} bound={session.info.value?.bound}>
        <input
          type="search"
          class="filter"
          placeholder="Filter: failing role=db"
          aria-label="Filter inspectors"
          value={router.get('q')}
          onInput={(e) => router.set({ q: e.currentTarget.value })}
        />
        {may && (
          <a class="button first" href="/editor">
            Write an inspector
          </a>
        )}
      </Head>
      {drafts.length > 0 && (
        <p class="notice">
          Drafts in this browser:
          {drafts.map((name) => (
            <a key={name} href={name ? below('/editor', name) : '/editor'}>
              {name || 'a new one'}
            </a>
          ))}
        </p>
      )}
      <div class="card">
        <Table label="Inspectors" columns={columns} rows={matching(rows, router.get('q'))} id={(r) => r.name} empty={<Waiting>No inspector matches.</Waiting>} />
      </div>
    </>
  );
}
