// The page of one host: its charts large, and how its inspectors are.

import '../style/host.css';
import { useSignal, useSignalEffect } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { ChartPage } from '../charts/chart-page.ts';
import type { Mark } from '../charts/marks.ts';
import type { HostModel } from '../data/store.ts';
import type { PageProps, Parts } from '../parts.ts';
import { GroupedCharts } from '../ui/charts.tsx';
import { Labels } from '../ui/labels.tsx';
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
  const page = useMemo((): ChartPage => ({ boosts: session.boosts, hidden, marks }), []);
  useSignalEffect(() => router.set({ hide: hidden.value.join('\n') }));
  // Reading the list makes the page follow it.
  const host = store.hosts.value.find((h) => h.name === name);
  useEffect(() => {
    if (!host) return undefined;
    const following = import('../data/host-marks.ts').then((m) => m.followMarks(host, parts, marks));
    return () => void following.then((stop) => stop());
  }, [host]);
  if (!host) return <Missing name={name} known={session.ready.value} />;
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
      <Labels host={host} session={session} />
      <Problems host={host} />
      <div class="body">
        <GroupedCharts host={host} view={view} fleet={fleet} large page={page} />
      </div>
      <Inspectors host={host} session={session} fleet={fleet} />
    </section>
  );
}

type InspectorsProps = Pick<Parts, 'session' | 'fleet'> & { host: HostModel };

/** How its inspectors are, below the charts: loaded after them. */
function Inspectors(props: InspectorsProps) {
  const part = useSignal<ComponentType<InspectorsProps> | null>(null);
  useEffect(() => void import('../ui/host-inspectors.tsx').then((m) => (part.value = m.HostInspectors)), []);
  const Part = part.value;
  return Part && <Part {...props} />;
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
