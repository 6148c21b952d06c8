// The page of one host: its charts large, and how its inspectors are.

import '../style/host.css';
import { useEffect } from 'preact/hooks';
import type { PageProps } from '../parts.ts';
import { GroupedCharts } from '../ui/charts.tsx';
import { HostInspectors } from '../ui/host-inspectors.tsx';
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
      <HostInspectors host={host} session={session} fleet={fleet} />
    </section>
  );
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
