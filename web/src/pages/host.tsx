// The page of one host: its charts large, and how its inspectors are.

import '../style/host.css';
import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import type { HostModel } from '../data/store.ts';
import type { PageProps, Parts } from '../parts.ts';
import { GroupedCharts } from '../ui/charts.tsx';
import { Labels } from '../ui/labels.tsx';
import { Condition, Facts, Problems } from '../ui/state.tsx';

const lookEvery = 2_000; // ms between two looks at the counts of the inspectors

export default function HostPage({ params: { host: name }, session, store, view, fleet }: PageProps) {
  useEffect(() => {
    const look = (): void => void session.look(name).catch(() => {});
    look();
    const timer = setInterval(look, lookEvery);
    return () => clearInterval(timer);
  }, [name]);
  // Reading the list makes the page follow it.
  const host = store.hosts.value.find((h) => h.name === name);
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
        <GroupedCharts host={host} view={view} fleet={fleet} large boosts={session.boosts} />
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
