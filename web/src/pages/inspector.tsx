// One inspector: its state on its hosts, its code, its history, its charts.

import { useSignal } from '@preact/signals';
import { useAsk } from '../data/ask.ts';
import { short, type CatalogEntry, type HistoryEntry, type Pushed, type Revision, type Status } from '../data/catalog.ts';
import { waits } from '../data/waits.ts';
import { compareNames } from '../data/names.ts';
import type { Host } from '../data/wire.ts';
import { parseStages } from '../lib/plan.ts';
import { below, hostPath } from '../lib/router.ts';
import { Code as ErrorCode, RpcError } from '../lib/rpc.ts';
import { duration } from '../lib/units.ts';
import type { PageProps, Parts } from '../parts.ts';
import { CodeView, DiffView } from '../ui/code.tsx';
import { Ago, Badge, Empty, Fault, Head, State, Waiting } from '../ui/kit.tsx';
import { InspectorCharts } from '../ui/lines.tsx';
import { ReceiptTable, RolloutView, summaryText } from '../ui/rollout.tsx';
import { Table, type TableColumn } from '../ui/table.tsx';
import { costOf } from './inspectors/rows.ts';
import '../style/work.css';

const notFound = -32004;

export default function InspectorPage({ params, ...parts }: PageProps) {
  const { session } = parts;
  const { name } = params;
  const ask = useAsk<CatalogEntry>(session, 'catalog.get', { name }, `catalog/${name}`);
  const e = ask.error.value;
  if (e instanceof RpcError && e.code === notFound) return <Own name={name} {...parts} />;
  if (e && !ask.data.value) return <Fault what={`cannot show ${name}`} error={e} retry={() => void ask.again()} />;
  const entry = ask.data.value;
  if (!entry) return <Waiting>Asking the master.</Waiting>;
  return (
    <>
      <Title entry={entry} {...parts} />
      {entry.rollout && (
        <section class="card" aria-labelledby="rollout">
          <h2 id="rollout">The last change</h2>
          <RolloutView session={session} id={entry.rollout} receipts={false} />
        </section>
      )}
      {!entry.deleted && (
        <section class="card long-list" aria-labelledby="hosts">
          <h2 id="hosts">Hosts</h2>
          <ReceiptTable session={session} name={name} label={`Receipts of ${name}`} />
        </section>
      )}
      {!entry.deleted && (
        <section class="card" aria-labelledby="charts">
          <h2 id="charts">Charts</h2>
          <InspectorCharts name={name} {...parts} />
        </section>
      )}
      <History entry={entry} {...parts} />
    </>
  );
}

function Title({ entry, session, router }: Parts & { entry: CatalogEntry }) {
  const may = session.may('operator');
  const s = entry.summary;
  const open = router.get('do');
  return (
    <>
      <Head title={entry.name} count={entry.deleted ? 'deleted' : `${entry.kind} ${short(entry.current)}, for ${entry.selector || 'every host'}`}>
        {!entry.deleted && <State state={s.failed + s.refused > 0 ? 'failed' : s.pending > 0 ? 'pending' : 'healthy'}>{summaryText(s)}</State>}
        {may && entry.kind !== 'plugin' && (
          <a class="button first" href={below('/editor', entry.name)}>
            Edit
          </a>
        )}
        {may && !entry.deleted && (
          <button type="button" class="button" aria-expanded={open === 'delete'} onClick={() => router.set({ do: open === 'delete' ? '' : 'delete' })}>
            Delete
          </button>
        )}
      </Head>
      <p class="hint">
        Changed <Ago ms={entry.at_ms} /> by {entry.author}
        {entry.message && <>: “{entry.message}”</>}
      </p>
      {may && open === 'delete' && !entry.deleted && (
        <ActForm session={session} method="catalog.delete" params={{ name: entry.name, version: entry.version }} label={`Delete ${entry.name}`} done={() => router.set({ do: '' })}>
          It is taken off its {s.hosts === 1 ? 'host' : `${s.hosts} hosts`}. Its history stays, and rolling back to any revision brings it back.
        </ActForm>
      )}
    </>
  );
}

/** A message, a button, and the result. */
function ActForm({ session, method, params, label, plan = false, done, children }: Pick<Parts, 'session'> & {
  method: string; params: object; label: string; plan?: boolean; done: () => void; children?: preact.ComponentChildren;
}) {
  const [message, stages, error, busy] = [useSignal(''), useSignal(''), useSignal(''), useSignal(false)];
  const act = async (e: Event): Promise<void> => {
    e.preventDefault();
    busy.value = true;
    error.value = '';
    try {
      const more = plan ? { plan: { stages: parseStages(stages.value) } } : {};
      const got = await session.rpc.call<Pushed>(method, { ...params, ...more, message: message.value });
      if (got.proposal) error.value = waits(got.proposal);
      else done();
    } catch (e) {
      error.value = e instanceof RpcError && e.code === ErrorCode.forbidden ? 'You may not do that.' : e instanceof Error ? e.message : String(e);
    } finally {
      busy.value = false;
    }
  };
  return (
    <form class="card" onSubmit={(e) => void act(e)}>
      <p>{children}</p>
      <div class="form">
        <label>
          Message
          <input class="field" placeholder="why" value={message} onInput={(e) => (message.value = e.currentTarget.value)} />
        </label>
        {plan && (
          <label>
            Stages
            <input class="field" placeholder="all at once" value={stages} onInput={(e) => (stages.value = e.currentTarget.value)} />
          </label>
        )}
      </div>
      <div class="row">
        <button type="submit" class="button first" disabled={busy.value}>
          {label}
        </button>
        <button type="button" class="button" onClick={done}>
          Leave it
        </button>
        {error.value && (
          <span class="said" role="alert">
            {error}
          </span>
        )}
      </div>
    </form>
  );
}

function History({ entry, session, router }: Parts & { entry: CatalogEntry }) {
  const history = entry.history ?? [];
  const shown = router.get('revision') || entry.current || history.find((h) => h.revision)?.revision || '';
  const before = history.slice(history.findIndex((h) => h.revision === shown) + 1).find((h) => h.revision && h.revision !== shown)?.revision ?? '';
  const columns: TableColumn<HistoryEntry>[] = [
    { id: 'at', title: 'When', by: (h) => h.at_ms, cell: (h) => <Ago ms={h.at_ms} /> },
    { id: 'action', title: 'What', by: (h) => h.action, cell: (h) => h.action },
    {
      id: 'revision', title: 'Revision', heads: true, by: (h) => h.revision,
      cell: (h) => h.revision ? (
        <button type="button" class="text-link" aria-pressed={h.revision === shown} onClick={() => router.set({ revision: h.revision, do: '' })}>
          <code>{short(h.revision)}</code>
        </button>
      ) : <span class="zero">none</span>,
    },
    { id: 'selector', title: 'For', by: (h) => h.selector, cell: (h) => h.selector || 'every host' },
    { id: 'author', title: 'By', by: (h) => h.author, cell: (h) => h.author },
    { id: 'signed', title: 'Signed by', cell: (h) => (h.signers ?? []).join(', ') },
    { id: 'rollout', title: 'Rollout', cell: (h) => h.rollout && <a href={`/rollouts/${encodeURIComponent(h.rollout)}`}>{h.rollout}</a> },
    { id: 'message', title: 'Message', cell: (h) => <span class="reason">{h.message}</span> },
  ];
  return (
    <>
      <section class="card" aria-labelledby="history">
        <h2 id="history">History</h2>
        <Table label={`Changes of ${entry.name}`} columns={columns} rows={history} id={(h) => `${h.at_ms}-${h.revision}-${h.action}`} />
      </section>
      {shown && <Source entry={entry} shown={shown} before={before} session={session} router={router} />}
    </>
  );
}

function Source({ entry, shown, before, session, router }: Pick<Parts, 'session' | 'router'> & { entry: CatalogEntry; shown: string; before: string }) {
  const { name } = entry;
  const now = useAsk<Revision>(session, 'catalog.revision', { name, revision: shown });
  const then = useAsk<Revision>(session, 'catalog.revision', { name, revision: before || shown });
  const may = session.may('operator');
  const back = shown !== entry.current;
  const open = router.get('do');
  const asDiff = router.get('code') === 'diff';
  const code = now.data.value;
  return (
    <section class="card" aria-labelledby="source">
      <div class="row">
        <h2 id="source">Code of {short(shown)}</h2>
        {back ? <Badge>not what runs now</Badge> : <Badge tone="good">current</Badge>}
        {before && (
          <button type="button" class="button" aria-pressed={asDiff} onClick={() => router.set({ code: asDiff ? '' : 'diff' })}>
            {asDiff ? 'Whole code' : `What changed from ${short(before)}`}
          </button>
        )}
        {may && back && (
          <button type="button" class="button" aria-expanded={open === 'rollback'} onClick={() => router.set({ do: open === 'rollback' ? '' : 'rollback' })}>
            Roll back to {short(shown)}
          </button>
        )}
      </div>
      {may && back && open === 'rollback' && (
        <ActForm session={session} method="catalog.rollback" params={{ name, revision: shown, version: entry.version }} plan label={`Roll back to ${short(shown)}`} done={() => router.set({ do: '', revision: '' })}>
          Makes it current again, for the hosts that it was for then.
        </ActForm>
      )}
      {now.error.value ? <Fault what="cannot show the code" error={now.error.value} retry={() => void now.again()} /> : null}
      {code?.source !== undefined && (asDiff && then.data.value?.source !== undefined
        ? <DiffView before={then.data.value.source} after={code.source} label="What changed" />
        : <CodeView source={code.source} label={`Source of ${name}`} />)}
      {code?.plugin && <Programs plugin={code.plugin} />}
    </section>
  );
}

function Programs({ plugin }: { plugin: NonNullable<Revision['plugin']> }) {
  return (
    <ul class="plain-list">
      {Object.entries(plugin.artefacts ?? {}).map(([platform, a]) => (
        <li key={platform}>
          {platform}: <code>{a.sha256}</code>, {a.size.toLocaleString('en')} bytes
        </li>
      ))}
    </ul>
  );
}

type OwnRow = Status & { host: string };

const ownColumns: TableColumn<OwnRow>[] = [
  { id: 'host', title: 'Host', heads: true, by: (r) => r.host, cell: (r) => <a href={hostPath(r.host)}>{r.host}</a> },
  { id: 'state', title: 'State', by: (r) => r.state, cell: (r) => <State state={r.state} /> },
  { id: 'interval', title: 'Interval', number: true, by: (r) => r.interval_ms, cell: (r) => duration(r.interval_ms / 1000) },
  { id: 'runs', title: 'Runs', number: true, by: (r) => r.runs, cell: (r) => r.runs.toLocaleString('en') },
  { id: 'failures', title: 'Failures', number: true, by: (r) => r.failures, cell: (r) => r.failures.toLocaleString('en') },
  { id: 'cost', title: 'Processor', number: true, by: costOf, cell: (r) => `${duration(costOf(r))}/s` },
  { id: 'error', title: 'Last error', cell: (r) => <span class="reason">{r.error}</span> },
];

/** An inspector from the hosts' own configuration, of which the master has no code. */
function Own({ name, ...parts }: Parts & { name: string }) {
  const ask = useAsk<{ hosts: Host[] | null }>(parts.session, 'hosts.list', {}, 'hosts/*');
  if (!ask.data.value) return <Waiting>Asking the master.</Waiting>;
  const rows = (ask.data.value.hosts ?? []).flatMap((h) => (h.inspectors ?? []).filter((i) => i.name === name).map((i): OwnRow => ({ ...(i as Status), host: h.host })));
  rows.sort((a, b) => Number(a.state === 'ok') - Number(b.state === 'ok') || compareNames(a.host, b.host));
  if (rows.length === 0) {
    return (
      <Empty title={`No inspector ${name}`} first>
        No host runs one of that name, and none was pushed. <a href="/inspectors">All inspectors</a>
      </Empty>
    );
  }
  return (
    <>
      <Head title={name} count={`host’s own, on ${rows.length === 1 ? '1 host' : `${rows.length} hosts`}`} />
      <p class="hint">It is built in, or of the hosts’ own configuration; the master has no code of it. A push under its name takes the place of a built-in one.</p>
      <section class="card long-list" aria-labelledby="hosts">
        <h2 id="hosts">Hosts</h2>
        <Table label={`Hosts of ${name}`} columns={ownColumns} rows={rows} id={(r) => r.host} />
      </section>
      <section class="card" aria-labelledby="charts">
        <h2 id="charts">Charts</h2>
        <InspectorCharts name={name} {...parts} />
      </section>
    </>
  );
}
