// Members: hosts that have joined, wait to be let in, or were revoked; and the token with
// which others join.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { useAsk } from '../data/ask.ts';
import type { JoinTokenCreated, Member, MembersResult } from '../data/wire.gen.ts';
import { hostPath } from '../lib/router.ts';
import { exact } from '../lib/time.ts';
import type { PageProps } from '../parts.ts';
import { Ago, Empty, Fault, Head, State, Waiting, type Tone } from '../ui/kit.tsx';
import { Table, type TableColumn } from '../ui/table.tsx';
import { claimText, endsText, inOrder, isLoopback, joinLine, machineOf, matching, paramsOf, type Wanted } from './members/rows.ts';
import '../style/work.css';
import '../style/members.css';

const often = 5_000; // ms between two looks: who joins makes no event

export default function MembersPage({ session, store, router }: PageProps) {
  const ask = useAsk<MembersResult>(session, 'hosts.members', {}, 'hosts/*');
  const error = useSignal<unknown>(null);
  const adding = useSignal(false);
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === 'visible' && session.link.peek().kind === 'live' && void ask.again(), often);
    return () => clearInterval(timer);
  }, [ask]);
  if (ask.error.value && !ask.data.value) return <Fault what="cannot list who has joined" error={ask.error.value} retry={() => void ask.again()} />;
  if (!ask.data.value) return <Waiting>Asking the master.</Waiting>;
  const all = inOrder(ask.data.value.members ?? []);
  const shown = matching(all, router.get('q'));
  const may = session.may('operator');
  const run = async (method: string, host: string): Promise<void> => {
    error.value = null;
    await session.rpc.call(method, { host }).catch((e) => (error.value = e));
    await ask.again();
  };
  return (
    <>
      <Head title="Members" count={countText(all)}>
        {all.length > 0 && (
          <input type="search" class="field" placeholder="Filter: waiting role=db" aria-label="Filter members" value={router.get('q')} onInput={(e) => router.set({ q: e.currentTarget.value })} />
        )}
        <a class="button" href="/hosts">
          All hosts
        </a>
        {may && (
          <button type="button" class="button first" aria-expanded={adding.value} onClick={() => (adding.value = !adding.value)}>
            Add hosts
          </button>
        )}
      </Head>
      {error.value !== null && <Fault what="cannot do that" error={error.value} />}
      {may && adding.value && <AddHosts session={session} offset={store.masterOffset} />}
      {all.length === 0 ? (
        !adding.value && (
          <Empty title="No host has joined" command={may ? 'vedette join-token' : undefined}>
            Hosts that report without a join token are among all hosts. {may ? 'Add hosts makes the line to paste on a host, and so does, in a terminal:' : 'Those that have joined with one are listed here.'}
          </Empty>
        )
      ) : (
        <div class="card">
          <Table label="Members" columns={columns(store.masterOffset, may, run)} rows={shown} id={(m) => m.host} empty={<Waiting>No line matches.</Waiting>} />
        </div>
      )}
    </>
  );
}

function countText(all: Member[]): string {
  const waiting = all.filter((m) => m.state === 'waiting').length;
  const joined = all.filter((m) => m.state === 'joined').length;
  return `${joined} joined${waiting > 0 ? `, ${waiting} ${waiting === 1 ? 'waits' : 'wait'}` : ''}`;
}

type Run = (method: string, host: string) => Promise<void>;

const tones: Record<string, Tone> = { waiting: 'warn', joined: 'good', revoked: 'idle' };

function columns(offset: number, may: boolean, run: Run): TableColumn<Member>[] {
  const list: TableColumn<Member>[] = [
    { id: 'host', title: 'Host', heads: true, by: (m) => m.host, cell: (m) => <HostCell member={m} offset={offset} /> },
    { id: 'state', title: 'State', by: (m) => m.state, cell: (m) => <State state={m.state} tone={tones[m.state]} /> },
    { id: 'joined', title: 'Since', by: (m) => m.joined_ms, cell: (m) => <Ago ms={m.joined_ms + offset} /> },
    { id: 'from', title: 'From', by: (m) => m.from, cell: (m) => <span title={m.from}>{machineOf(m.from)}</span> },
    { id: 'token', title: 'With token', by: (m) => m.token, cell: (m) => m.token },
    { id: 'key', title: 'Key', cell: (m) => <code title={m.key}>{m.key.slice(0, 16)}</code> },
    { id: 'ends', title: 'Certificate ends', by: (m) => m.ends_ms ?? 0, cell: (m) => m.state === 'joined' && m.ends_ms && <span title={exact(m.ends_ms + offset)}>{endsText(m.ends_ms + offset, Date.now())}</span> },
    { id: 'by', title: 'By', by: (m) => m.by ?? '', cell: (m) => m.by },
  ];
  if (may) list.push({ id: 'do', title: 'Do', cell: (m) => <Deeds key={m.host + m.state} member={m} run={run} /> });
  return list;
}

function HostCell({ member: m, offset }: { member: Member; offset: number }) {
  return (
    <>
      {m.state === 'joined' ? <a href={hostPath(m.host)}>{m.host}</a> : m.host}
      {m.claim && (
        <p class="claim">
          {claimText(m)} (<Ago ms={m.claim.at_ms + offset} />)
        </p>
      )}
    </>
  );
}

/** What an operator can do with a host. What cannot be undone is asked twice. */
function Deeds({ member: m, run }: { member: Member; run: Run }) {
  const sure = useSignal(false);
  if (m.state === 'revoked') return null;
  const waits = m.state === 'waiting';
  const verb = waits ? 'Refuse' : 'Revoke';
  if (sure.value) {
    return (
      <span class="row">
        <span>{waits ? 'It will not be let in.' : 'Its connections close, and it has to join again.'}</span>
        <button type="button" class="button bad" onClick={() => void run('hosts.revoke', m.host)}>
          {verb} {m.host}
        </button>
        <button type="button" class="button" onClick={() => (sure.value = false)}>
          Keep
        </button>
      </span>
    );
  }
  return (
    <span class="row">
      {waits && (
        <button type="button" class="button first" title="Compare its key with the one that the host has" onClick={() => void run('hosts.approve', m.host)}>
          Approve
        </button>
      )}
      <button type="button" class="button" onClick={() => (sure.value = true)}>
        {verb}
      </button>
    </span>
  );
}

const nothing: Wanted = { host: '', uses: '1', hours: '24', labels: '', approve: false };

/** Makes a join token, and shows the line to paste. */
function AddHosts({ session, offset }: Pick<PageProps, 'session'> & { offset: number }) {
  const wanted = useSignal(nothing);
  const made = useSignal<JoinTokenCreated | null>(null);
  const error = useSignal<unknown>(null);
  const busy = useSignal(false);
  const set = (more: Partial<Wanted>): void => void (wanted.value = { ...wanted.value, ...more });
  const submit = async (e: Event): Promise<void> => {
    e.preventDefault();
    error.value = made.value = null;
    busy.value = true;
    try {
      made.value = await session.rpc.call<JoinTokenCreated>('tokens.join', paramsOf(wanted.value));
    } catch (e) {
      error.value = e;
    }
    busy.value = false;
  };
  const { host, uses, hours, labels, approve } = wanted.value;
  const field = (label: string, name: keyof Wanted, value: string, more: object) => (
    <label>
      {label}
      <input class="field" value={value} spellcheck={false} onInput={(e) => set({ [name]: e.currentTarget.value })} {...more} />
    </label>
  );
  return (
    <section class="card add-hosts" aria-labelledby="add-hosts">
      <h2 id="add-hosts">Add hosts</h2>
      <form onSubmit={(e) => void submit(e)}>
        {field('Hosts', 'uses', host.trim() ? '1' : uses, { inputMode: 'numeric', size: 5, disabled: host.trim() !== '' })}
        {field('Good for hours', 'hours', hours, { inputMode: 'numeric', size: 5 })}
        {field('Labels', 'labels', labels, { placeholder: 'role=db site=berlin' })}
        {field('Only the host', 'host', host, { placeholder: 'any', title: 'Also one that has lost its key, or was revoked' })}
        <label class="check">
          <input type="checkbox" checked={approve} onChange={(e) => set({ approve: e.currentTarget.checked })} />
          Each waits for approval
        </label>
        <button type="submit" class="button first" disabled={busy.value}>
          Make the line
        </button>
      </form>
      {error.value !== null && <Fault what="cannot make a join token" error={error.value} />}
      {made.value && <Line made={made.value} offset={offset} />}
    </section>
  );
}

function Line({ made: { token, info }, offset }: { made: JoinTokenCreated; offset: number }) {
  const copied = useSignal('');
  const line = joinLine(location.origin, token, info.host);
  const copy = (): void => {
    const said = (text: string) => (): void => void (copied.value = text);
    (navigator.clipboard?.writeText(line) ?? Promise.reject()).then(said('Copied.'), said('Select the line and copy it.'));
  };
  const whom = info.host ? `host ${info.host}` : info.uses === 1 ? 'one host' : `${info.uses} hosts`;
  return (
    <div class="join-line" aria-live="polite">
      <p>Run this on each host, as root. It is shown once.</p>
      <pre tabIndex={0}>{line}</pre>
      <p class="row">
        <button type="button" class="button" onClick={copy}>
          Copy
        </button>
        <span role="status">{copied.value}</span>
      </p>
      <p class="hint">
        It lets in {whom}, and is good until {info.ends_ms ? exact(info.ends_ms + offset) : 'it is revoked'}. Take it back with <code>vedette token revoke {info.name}</code>
      </p>
      {isLoopback(location.hostname) && <p class="hint">Other machines do not reach {location.host}: write the address there under which they reach this master.</p>}
    </div>
  );
}
