// Changes that wait for a second person: what each would do, and the buttons to approve
// or refuse it.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { useAsk } from '../../data/ask.ts';
import { short, type Revision } from '../../data/catalog.ts';
import type { Proposal, ProposalsResult } from '../../data/wire.gen.ts';
import type { PageProps } from '../../parts.ts';
import { DiffView } from '../../ui/code.tsx';
import { Ago, Fault } from '../../ui/kit.tsx';

const often = 5_000; // ms between two looks: a proposal makes no event

type Part = Pick<PageProps, 'session'>;

/** Nothing, if no change waits or the caller may not see it. */
export function WaitingChanges({ session }: Part) {
  return session.may('operator') ? <List session={session} /> : null;
}

function List({ session }: Part) {
  const ask = useAsk<ProposalsResult>(session, 'proposals.list');
  const error = useSignal<unknown>(null);
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === 'visible' && session.link.peek().kind === 'live' && void ask.again(), often);
    return () => clearInterval(timer);
  }, [ask]);
  const list = ask.data.value?.proposals ?? [];
  const run = async (method: string, id: string): Promise<void> => {
    error.value = null;
    await session.rpc.call(method, { id }, { timeout: 60_000 }).catch((e) => (error.value = e)); // it is built again
    await ask.again();
  };
  if (list.length === 0 && error.value === null) return null;
  return (
    <section class="card" aria-labelledby="waiting-title">
      <h2 id="waiting-title">Waiting for a second person</h2>
      {error.value !== null && <Fault what="cannot do that" error={error.value} />}
      {list.map((p) => (
        <Waits key={p.id} session={session} proposal={p} run={run} />
      ))}
    </section>
  );
}

function Waits({ session, proposal: p, run }: Part & { proposal: Proposal; run: (method: string, id: string) => Promise<void> }) {
  const [open, busy] = [useSignal(false), useSignal(false)];
  const press = (label: string, method: string, first = false) => (
    <button
      type="button"
      class={first ? 'button first' : 'button'}
      disabled={busy.value}
      onClick={() => {
        busy.value = true;
        void run(method, p.id).finally(() => (busy.value = false));
      }}
    >
      {label} {p.id}
    </button>
  );
  return (
    <div data-proposal={p.id}>
      <p>
        {whatText(p)}, by {p.author} <Ago ms={p.at_ms} />
        {p.message && <>: “{p.message}”</>}
        {(p.approved ?? []).length > 0 && <>. Approved by {p.approved!.join(', ')}</>}
      </p>
      {p.revision && (
        <details onToggle={(e) => (open.value = e.currentTarget.open)}>
          <summary>What changes{p.current && <> from {short(p.current)}</>}</summary>
          {open.value && <Changes session={session} proposal={p} />}
        </details>
      )}
      <div class="row">
        {!p.why && press('Approve', 'proposals.approve', true)}
        {press('Refuse', 'proposals.refuse')}
        <span class="hint">{p.why ?? (p.missing > 1 ? `${p.missing} persons have to approve it.` : '')}</span>
      </div>
    </div>
  );
}

function Changes({ session, proposal: p }: Part & { proposal: Proposal }) {
  const after = useAsk<Proposal>(session, 'proposals.get', { id: p.id });
  const before = useAsk<Revision>(session, 'catalog.revision', { name: p.subject, revision: p.current ?? '' });
  const code = after.data.value?.code;
  if (after.error.value) return <Fault what="cannot show the code" error={after.error.value} retry={() => void after.again()} />;
  if (!code || (p.current && !before.data.value && !before.error.value)) return null;
  if (code.source === undefined) return <p class="hint">It is a program: vedette proposals {p.id} shows its checksums.</p>;
  return <DiffView before={p.current ? (before.data.value?.source ?? '') : ''} after={code.source} label="What changes" />;
}

/** What a change does, in a few words. */
export function whatText(p: Proposal): string {
  if (p.action === 'labels') {
    const given = Object.entries(p.labels ?? {}).map(([name, value]) => (value ? `${name}=${value}` : `${name}-`));
    return `labels of ${p.subject}: ${given.sort().join(' ')}`;
  }
  const hosts = `${p.hosts} ${p.hosts === 1 ? 'host' : 'hosts'}`;
  return `${p.action} of ${p.subject}${p.revision ? ` ${short(p.revision)}` : ''}, ${p.selector || 'every host'} (${hosts})`;
}
