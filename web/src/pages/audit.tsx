// Audit: who changed what, newest first, one line each.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { useAsk } from '../data/ask.ts';
import type { AuditEntry } from '../data/wire.gen.ts';
import type { PageProps } from '../parts.ts';
import { exact } from '../lib/time.ts';
import { Ago, Empty, Fault, Head, State, Waiting } from '../ui/kit.tsx';
import { Table, type TableColumn } from '../ui/table.tsx';
import { matching, pageOf } from './audit/lines.ts';
import '../style/work.css';

const first = 500; // lines at once; a press brings more
const mostLines = 10_000; // that the master gives
const often = 10_000; // ms between two looks

export default function AuditPage({ session, store, router }: PageProps) {
  const limit = useSignal(first);
  const ask = useAsk<{ entries: AuditEntry[] | null }>(session, 'audit.list', { limit: limit.value }, 'catalog/*');
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === 'visible' && session.link.peek().kind === 'live' && void ask.again(), often);
    return () => clearInterval(timer);
  }, [ask]);
  if (ask.error.value && !ask.data.value) return <Fault what="cannot list the audit log" error={ask.error.value} retry={() => void ask.again()} />;
  if (!ask.data.value) return <Waiting>Asking the master.</Waiting>;
  const all = ask.data.value.entries ?? [];
  if (all.length === 0) {
    return (
      <Empty title="Nobody has changed anything yet" command="vedette push disk.go" first>
        Pushes, rollbacks, labels, trials and refused attempts at them are listed here, with who and when.
      </Empty>
    );
  }
  const shown = matching(all, router.get('q'));
  const offset = store.masterOffset;
  const columns: TableColumn<AuditEntry>[] = [
    { id: 'at', title: 'When', by: (e) => e.at_ms, cell: (e) => <><span class="exact">{exact(e.at_ms + offset)}</span> <span class="hint"><Ago ms={e.at_ms + offset} /></span></> },
    { id: 'who', title: 'Who', by: (e) => e.who, cell: (e) => <span title={`${e.role}, from ${e.from}`}>{e.who || 'nobody'}</span> },
    { id: 'action', title: 'Did', heads: true, by: (e) => e.action, cell: (e) => <code>{e.action}</code> },
    { id: 'subject', title: 'To', by: (e) => e.subject, cell: (e) => about(e) },
    { id: 'outcome', title: 'Outcome', by: (e) => e.outcome, cell: (e) => <State state={e.outcome === 'ok' ? 'ok' : 'refused'} /> },
    { id: 'detail', title: 'Detail', cell: (e) => <span class="reason">{[e.detail, e.outcome === 'ok' ? '' : e.outcome].filter(Boolean).join(' · ')}</span> },
  ];
  return (
    <>
      <Head title="Audit" count={shown.length === all.length ? all.length : `${shown.length} of ${all.length}`}>
        <input
          type="search"
          class="field"
          placeholder="Filter: anna push failed"
          aria-label="Filter the audit log"
          value={router.get('q')}
          onInput={(e) => router.set({ q: e.currentTarget.value })}
        />
      </Head>
      <div class="card">
        <Table label="Audit log" columns={columns} rows={shown} id={(e) => String(e.seq)} empty={<Waiting>No line matches.</Waiting>} />
        {all.length === limit.value && limit.value < mostLines && (
          <button type="button" class="button" onClick={() => (limit.value = Math.min(mostLines, 4 * limit.value))}>
            Older lines
          </button>
        )}
      </div>
    </>
  );
}

function about(e: AuditEntry) {
  const page = pageOf(e);
  return page ? <a href={page}>{e.subject}</a> : e.subject;
}
