// Alerts: the firing ones, since when, and who was told; the silences; and buttons to
// acknowledge and to silence.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { useAsk } from '../data/ask.ts';
import { matchersOf, mutedText, toldText, untilText } from '../data/alerts.ts';
import type { Alert, AlertsResult, Silence } from '../data/wire.gen.ts';
import { at, hostPath } from '../lib/router.ts';
import { exact } from '../lib/time.ts';
import type { PageProps } from '../parts.ts';
import { Ago, Empty, Fault, Head, State, Waiting, type Tone } from '../ui/kit.tsx';
import { NotifySwitch } from '../ui/notify-switch.tsx';
import { Table, type TableColumn } from '../ui/table.tsx';
import '../style/work.css';

const often = 10_000; // ms between two looks: a silence ends without an event
const hour = 3600; // seconds

export default function AlertsPage({ session, store, router, fleet }: PageProps) {
  const ended = router.get('ended') !== '';
  const ask = useAsk<AlertsResult>(session, 'alerts.list', { ended }, 'alerts/*');
  const quiet = useAsk<{ silences: Silence[] | null }>(session, 'silences.list', {}, 'alerts/*');
  const error = useSignal<unknown>(null);
  const again = (): void => {
    void ask.again();
    void quiet.again();
  };
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === 'visible' && session.link.peek().kind === 'live' && again(), often);
    return () => clearInterval(timer);
  }, [ask, quiet]);
  const one = router.get('alert');
  const found = one !== '' && Boolean(ask.data.value?.alerts?.some((a) => a.id === one));
  useEffect(() => {
    if (found) document.querySelector('tr[aria-current]')?.scrollIntoView({ block: 'center' });
  }, [one, found]);
  if (ask.error.value && !ask.data.value) return <Fault what="cannot list the alerts" error={ask.error.value} retry={again} />;
  if (!ask.data.value) return <Waiting>Asking the master.</Waiting>;
  const run = async (method: string, params: object): Promise<void> => {
    try {
      error.value = null;
      await session.rpc.call(method, params);
    } catch (e) {
      error.value = e;
    }
    again();
  };
  const { alerts, receivers } = ask.data.value;
  const list = alerts ?? [];
  const may = session.may('operator');
  return (
    <>
      <Head title="Alerts" count={list.filter((a) => a.state === 'firing').length}>
        <NotifySwitch fleet={fleet} />
        <label class="row">
          <input type="checkbox" checked={ended} onChange={(e) => router.set({ ended: e.currentTarget.checked ? '1' : '' })} />
          Also those that ended in the last day
        </label>
      </Head>
      {error.value !== null && <Fault what="cannot do that" error={error.value} />}
      {one !== '' && !found && !ended && (
        <p class="hint">
          The alert of this address does not fire any more. <a href={at('/alerts', { alert: one, ended: '1' })}>Those that ended in the last day</a>
        </p>
      )}
      {list.length === 0 ? (
        <Empty title="Nothing fires" command={may && receivers?.length ? `vedette alerts test --to ${receivers[0]}` : undefined}>
          {receivers?.length ? `Alerts are sent to: ${receivers.join(', ')}.` : 'Alerts are sent to nobody: master.alerts.notify is empty.'}
        </Empty>
      ) : (
        <div class="card">
          <Table label="Alerts" columns={columns(store.masterOffset, may, run)} rows={list} id={(a) => a.id + a.state} current={(a) => a.id === one} />
        </div>
      )}
      <Silences list={quiet.data.value?.silences ?? []} {...{ may, run }} offset={store.masterOffset} />
    </>
  );
}

type Run = (method: string, params: object) => Promise<void>;

const stateCell = (a: Alert) => (
  <>
    <State state={a.state} tone={tones[a.state]} /> {a.posted && <span title="Another program has posted it">posted</span>}
  </>
);

const tones: Record<string, Tone> = { firing: 'bad', unknown: 'warn', pending: 'idle', ended: 'good' };

function columns(offset: number, may: boolean, run: Run): TableColumn<Alert>[] {
  const list: TableColumn<Alert>[] = [
    { id: 'name', title: 'Alert', heads: true, by: (a) => a.name, cell: (a) => <span title={a.summary}>{a.name}</span> },
    { id: 'host', title: 'Host', by: (a) => a.host ?? '', cell: (a) => a.host && <a href={hostPath(a.host)}>{a.host}</a> },
    { id: 'state', title: 'State', by: (a) => a.state, cell: stateCell },
    { id: 'severity', title: 'Severity', by: (a) => a.severity ?? '', cell: (a) => a.severity },
    { id: 'since', title: 'Since', by: (a) => a.since_ms, cell: (a) => <Ago ms={a.since_ms + offset} /> },
    { id: 'told', title: 'Told', cell: (a) => (a.told?.length ? <span class="reason">{toldText(a.told)}</span> : 'nobody') },
    { id: 'muted', title: 'Muted', cell: (a) => <span class="reason">{mutedText(a)}</span> },
    { id: 'summary', title: 'What', cell: (a) => <span class="reason">{a.summary}</span> },
  ];
  if (!may) return list;
  const actions = (a: Alert) => {
    if ((a.state !== 'firing' && a.state !== 'unknown') || a.silenced_by?.length) return null;
    return (
      <span class="row">
        {!a.posted && (
          <button type="button" class="button" title="Nobody is told of it again until it has ended" onClick={() => void run('alerts.ack', { id: a.id })}>
            Acknowledge
          </button>
        )}
        <button
          type="button"
          class="button"
          title="Nobody is told of it for an hour"
          onClick={() => void run('silences.add', { matchers: matchersOf(a), seconds: hour, message: 'from the page' })}
        >
          Silence 1 h
        </button>
      </span>
    );
  };
  return [...list, { id: 'do', title: 'Do', cell: actions }];
}

function Silences({ list, may, run, offset }: { list: Silence[]; may: boolean; run: Run; offset: number }) {
  if (list.length === 0) return null;
  const shown: TableColumn<Silence>[] = [
    { id: 'what', title: 'Silent', heads: true, cell: (s) => <code>{s.matchers?.join(', ')}</code> },
    { id: 'until', title: 'Until', by: (s) => s.to_ms, cell: (s) => untilText(s, exact, offset) },
    { id: 'by', title: 'By', by: (s) => s.by, cell: (s) => s.by },
    { id: 'why', title: 'Why', cell: (s) => <span class="reason">{s.message}</span> },
  ];
  if (may) {
    shown.push({
      id: 'do',
      title: 'Do',
      cell: (s) => (
        <button type="button" class="button" onClick={() => void run('silences.end', { silence: s.id })}>
          End
        </button>
      ),
    });
  }
  return (
    <div class="card">
      <Table label="Silences" columns={shown} rows={list} id={(s) => s.id} />
    </div>
  );
}
