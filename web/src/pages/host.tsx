// The page of one host: its charts, large, and its inspectors.

import '../style/host.css';
import { useSignal, useSignalEffect } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { ChartPage } from '../charts/chart-page.ts';
import type { Mark } from '../charts/marks.ts';
import type { HostModel } from '../data/store.ts';
import type { PageProps, Parts } from '../parts.ts';
import { GroupedCharts } from '../ui/charts.tsx';
import { Condition, Facts, Problems } from '../ui/state.tsx';

const lookEvery = 2_000; // ms between two looks at the counts of the inspectors

export default function HostPage({ params: { host: name }, ...parts }: PageProps) {
  const { session, store, view, fleet, router } = parts;
  useEffect(() => {
    const look = (): void => void session.look(name).catch(() => {});
    look();
    const timer = setInterval(look, lookEvery);
    return () => clearInterval(timer);
  }, [name]);
  const hidden = useSignal(router.get('hide').split('\n').filter(Boolean));
  const marks = useSignal<Mark[]>([]);
  const page = useMemo((): ChartPage => ({ session, hidden, marks }), []);
  useEffect(() => () => page.boosts?.stop(), []);
  useSignalEffect(() => router.set({ hide: hidden.value.join('\n') }));
  // Reading the list makes the page follow it.
  const host = store.hosts.value.find((h) => h.name === name);
  useEffect(() => {
    if (!host) return undefined;
    const following = import('../data/host-marks.ts').then((m) => m.followMarks(host, parts, marks));
    return () => void following.then((stop) => stop());
  }, [host]);
  if (!host) return <Missing name={name} known={session.ready.value} />;
  const labelled = Object.keys(host.info.value?.labels ?? {}).length > 0;
  return (
    <section class={host.gone ? 'panel single gone' : 'panel single'} data-host={name}>
      <header>
        <a class="back" href="/hosts">
          Hosts
        </a>
        <h1 tabIndex={-1}>{name}</h1>
        <Condition host={host} store={store} session={session} />
        <Facts host={host} labels={false} />
      </header>
      <Later load={() => import('../ui/labels.tsx').then((m) => m.Labels)} host={host} session={session} fleet={fleet} room={labelled || session.may('operator') ? 'host-labels' : undefined} />
      <Problems host={host} />
      <div class="body">
        <GroupedCharts host={host} view={view} fleet={fleet} large page={page} />
      </div>
      <Later load={() => import('../ui/host-inspectors.tsx').then((m) => m.HostInspectors)} host={host} session={session} fleet={fleet} />
    </section>
  );
}

type LaterProps = Pick<Parts, 'session' | 'fleet'> & { host: HostModel };

/** A part that is loaded after the charts; `room` is the class of its placeholder. */
function Later({ load, room, ...props }: LaterProps & { load: () => Promise<ComponentType<LaterProps>>; room?: string }) {
  const part = useSignal<ComponentType<LaterProps> | null>(null);
  useEffect(() => void load().then((Part) => (part.value = Part)), []);
  const Part = part.value;
  return Part ? <Part {...props} /> : room ? <div class={room} /> : null;
}

function Missing({ name, known }: { name: string; known: boolean }) {
  if (!known) return <p class="waiting">Asking the master for its hosts.</p>;
  return (
    <section class="empty">
      <h1 tabIndex={-1}>No host {name}</h1>
      <p>
        No agent has reported under this name since the master started. <a href="/hosts">All hosts</a>
      </p>
    </section>
  );
}
