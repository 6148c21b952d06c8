// Rollouts: one line each, newest first.

import { useAsk } from '../data/ask.ts';
import { short, type Rollout } from '../data/catalog.ts';
import { below } from '../lib/router.ts';
import type { PageProps } from '../parts.ts';
import { Ago, Empty, Fault, Head, State, Waiting } from '../ui/kit.tsx';
import { rolloutTitle, summaryText } from '../ui/rollout.tsx';
import { Table, type TableColumn } from '../ui/table.tsx';
import { WaitingChanges } from './rollouts/waiting.tsx';
import '../style/work.css';

const columns: TableColumn<Rollout>[] = [
  { id: 'id', title: 'Rollout', heads: true, by: (r) => Number(r.id), cell: (r) => <a href={`/rollouts/${encodeURIComponent(r.id)}`}>{r.id}</a> },
  { id: 'at', title: 'Begun', by: (r) => r.started_ms, cell: (r) => <Ago ms={r.started_ms} /> },
  { id: 'state', title: 'State', by: (r) => r.state, cell: (r) => <State state={r.state} /> },
  { id: 'inspector', title: 'Inspector', by: (r) => r.inspector, cell: (r) => <a href={below('/inspectors', r.inspector)}>{r.inspector}</a> },
  { id: 'what', title: 'What', by: (r) => r.action, cell: (r) => <span title={rolloutTitle(r)}>{r.action} {r.to && <code>{short(r.to)}</code>}</span> },
  { id: 'stage', title: 'Stage', cell: (r) => `${Math.min(r.stage + 1, (r.stages ?? []).length)} of ${(r.stages ?? []).length}` },
  { id: 'hosts', title: 'Hosts', cell: (r) => hosts(r) },
  { id: 'author', title: 'By', by: (r) => r.author, cell: (r) => r.author },
  { id: 'message', title: 'Message', cell: (r) => <span class="reason">{[r.message && `“${r.message}”`, r.reason].filter(Boolean).join(' ')}</span> },
];

function hosts(r: Rollout): string {
  const s = (r.stages ?? [])[r.stage]?.summary;
  return s ? summaryText(s) : '';
}

/** Rollouts that have all the words somewhere in their line. */
export function matching(list: Rollout[], filter: string): Rollout[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return list.filter((r) => {
    const text = [r.id, r.state, r.inspector, r.action, r.author, r.message, r.reason, r.to].join(' ').toLowerCase();
    return words.every((w) => text.includes(w));
  });
}

export default function RolloutsPage({ session, router }: PageProps) {
  const ask = useAsk<{ rollouts: Rollout[] | null }>(session, 'rollouts.list', {}, 'rollouts/*');
  if (ask.error.value && !ask.data.value) return <Fault what="cannot list the rollouts" error={ask.error.value} retry={() => void ask.again()} />;
  if (!ask.data.value) return <Waiting>Asking the master.</Waiting>;
  const all = ask.data.value.rollouts ?? [];
  const shown = matching(all, router.get('q'));
  if (all.length === 0) {
    return (
      <>
        <WaitingChanges session={session} />
        <Empty title="Nothing was rolled out yet" command="vedette push disk.go --canary 1,10%,100%" first>
          A push, a rollback and a deletion each begin a rollout.
        </Empty>
      </>
    );
  }
  return (
    <>
      <Head title="Rollouts" count={all.length}>
        <input
          type="search"
          class="field"
          placeholder="Filter rollouts"
          aria-label="Filter rollouts"
          value={router.get('q')}
          onInput={(e) => router.set({ q: e.currentTarget.value })}
        />
      </Head>
      <WaitingChanges session={session} />
      <div class="card">
        <Table label="Rollouts" columns={columns} rows={shown} id={(r) => r.id} empty={<Waiting>No rollout matches.</Waiting>} />
      </div>
    </>
  );
}
