// The charts of one host, in their order, the product's own last and folded.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ChartPage } from '../charts/chart-page.ts';
import type { LiveChart } from '../charts/live-chart.ts';
import type { View } from '../charts/view.ts';
import { Origin } from './origin.tsx';
import { groupsOf, idle } from './host-groups.ts';
import type { Parts } from '../parts.ts';
import { selfChart, type Chart, type HostModel } from '../data/store.ts';

declare module 'preact' {
  namespace JSX {
    interface IntrinsicElements {
      'live-chart': Partial<Pick<LiveChart, 'chart' | 'view' | 'large' | 'page'>> & { key?: string };
    }
  }
}

interface Shared {
  view: View;
  large?: boolean;
  /** What the page of a host gives its charts. */
  page?: ChartPage;
}

export function Charts({ host, ...shared }: Shared & { host: HostModel }) {
  const { view } = shared;
  useEffect(() => view.mount(host), [host]);
  const charts = host.charts.value;
  const own = charts.filter((c) => c.name === selfChart);
  const others = charts.filter((c) => c.name !== selfChart);
  if (charts.length === 0) return <p class="waiting">Waiting for the first samples.</p>;
  return (
    <>
      <Grid charts={others} {...shared} />
      {own.length > 0 && <Own charts={own} {...shared} />}
    </>
  );
}

const lookEvery = 5_000; // ms between two looks at what is idle

/** The charts of a host under the full names of their inspectors; facts first, and zeros folded away. */
export function GroupedCharts({ host, fleet, ...shared }: Shared & Pick<Parts, 'fleet'> & { host: HostModel }) {
  const { view } = shared;
  const idleIds = useSignal('');
  const known = useSignal<typeof import('./host-facts.tsx') | null>(null);
  const looks = useSignal(0);
  useEffect(() => view.mount(host), [host]);
  useEffect(() => void import('./host-facts.tsx').then((m) => (known.value = m)), []);
  useEffect(() => {
    const look = (): void => {
      const found = host.charts.peek().filter(idle);
      idleIds.value = found.map((c) => c.id).join('\n');
      looks.value++;
    };
    look();
    const timer = setInterval(look, lookEvery);
    return () => clearInterval(timer);
  }, [host]);
  void looks.value; // facts are shown as they are at that time
  const all = host.charts.value;
  if (all.length === 0) return <p class="waiting">Waiting for the first samples.</p>;
  const own = all.filter((c) => c.name === selfChart);
  const others = all.filter((c) => c.name !== selfChart);
  const { facts, rest: charts } = known.value?.factsOf(others, Date.now(), location.search) ?? { facts: [], rest: others };
  const zeros = new Set(idleIds.value.split('\n'));
  const resting = charts.filter((c) => zeros.has(c.id));
  const entries = new Map(fleet.catalog.value.map((e) => [e.name, e]));
  const groups = groupsOf(host, charts.filter((c) => !zeros.has(c.id)));
  const HostFacts = known.value?.HostFacts;
  return (
    <>
      {HostFacts && <HostFacts facts={facts} />}
      <Contents names={groups.map((g) => g.name)} />
      {groups.map((g) => (
        <section key={g.name} id={`charts ${g.name}`} class="group" aria-label={g.name} tabIndex={-1}>
          <header>
            <h2>{g.inspectors.length === 1 ? g.inspectors[0].name : g.name}</h2>
            {g.inspectors.map((i) => (
              <Origin key={i.name} inspector={i} entry={entries.get(i.name)} name={g.inspectors.length > 1} />
            ))}
          </header>
          <Grid charts={g.charts} {...shared} />
        </section>
      ))}
      {resting.length > 0 && <Folded title={`${resting.length} ${resting.length === 1 ? 'chart shows' : 'charts show'} nothing but zeros`} charts={resting} {...shared} />}
      {own.length > 0 && <Own charts={own} {...shared} />}
    </>
  );
}

/** The groups of the page: a press leads to one. */
function Contents({ names }: { names: string[] }) {
  if (names.length < 4) return null;
  const go = (name: string): void => {
    const group = document.getElementById(`charts ${name}`);
    group?.scrollIntoView();
    group?.focus({ preventScroll: true });
  };
  return (
    <nav class="contents" aria-label="Charts of this host">
      {names.map((name) => (
        <button key={name} type="button" class="text-link" onClick={() => go(name)}>
          {name}
        </button>
      ))}
    </nav>
  );
}

function Folded({ title, ...props }: Shared & { title: string; charts: Chart[] }) {
  const open = useSignal(false);
  return (
    <details class="own" onToggle={(e) => (open.value = e.currentTarget.open)}>
      <summary>{title}</summary>
      {open.value && <Grid {...props} />}
    </details>
  );
}

function Own(props: Shared & { charts: Chart[] }) {
  return <Folded title="What measuring costs" {...props} />;
}

function Grid({ charts, view, large, page }: Shared & { charts: Chart[] }) {
  return (
    <div class={large ? 'grid large' : 'grid'}>
      {charts.map((chart) => (
        <live-chart key={chart.id} chart={chart} view={view} large={large ?? false} page={page} />
      ))}
    </div>
  );
}
