// The page of one host: its charts large, and how its inspectors are.

import { useEffect } from 'preact/hooks';
import type { PageProps } from '../parts.ts';
import type { InspectorStatus } from '../data/wire.ts';
import { duration } from '../lib/units.ts';
import { Charts } from '../ui/charts.tsx';
import { Condition, Facts, Problems } from '../ui/state.tsx';

const lookEvery = 2_000; // ms between two looks at the counts of the inspectors

export default function HostPage({ params: { host: name }, session, store, view }: PageProps) {
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
        <Facts host={host} />
      </header>
      <Problems host={host} />
      <div class="body">
        <Charts host={host} view={view} large boosts={session.boosts} />
      </div>
      <Inspectors list={host.info.value?.inspectors ?? []} />
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

function Inspectors({ list }: { list: InspectorStatus[] }) {
  if (list.length === 0) return null;
  const sorted = [...list].sort((a, b) => (a.name < b.name ? -1 : 1));
  return (
    <section class="inspectors">
      <h2 id="inspectors">Inspectors</h2>
      <div class="scroll" tabIndex={0} role="region" aria-labelledby="inspectors">
        <table>
          <thead>
            <tr>
              <th scope="col">Inspector</th>
              <th scope="col">State</th>
              <th scope="col">Kind</th>
              {['Interval', 'Runs', 'Failures', 'Timeouts', 'Missed', 'Crashes'].map((title) => (
                <th scope="col" class="number">
                  {title}
                </th>
              ))}
              <th scope="col">Last error</th>
            </tr>
          </thead>
          <tbody>
            {sorted.map((i) => (
              <Row key={i.name} inspector={i} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Row({ inspector: i }: { inspector: InspectorStatus }) {
  const counts = [i.runs, i.failures, i.timeouts, i.missed, i.crashes];
  return (
    <tr data-inspector={i.name}>
      <th scope="row">{i.name}</th>
      <td>
        <span class={`inspector ${i.state}`}>
          <i aria-hidden="true" />
          {i.state}
        </span>
      </td>
      <td>{i.kind}</td>
      <td class="number">
        {duration(i.interval_ms / 1000)}
        {i.boosted_ms ? `, now ${duration(i.boosted_ms / 1000)}` : ''}
      </td>
      {counts.map((n, at) => (
        <td class={at > 0 && n === 0 ? 'number zero' : 'number'}>{n.toLocaleString('en')}</td>
      ))}
      <td class="error">{i.error}</td>
    </tr>
  );
}
