// The charts of one host, in their order, the product's own last and folded.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { LiveChart } from '../charts/live-chart.ts';
import type { View } from '../charts/view.ts';
import type { Boosts } from '../data/boosts.ts';
import { selfChart, type Chart, type HostModel } from '../data/store.ts';

declare module 'preact' {
  namespace JSX {
    interface IntrinsicElements {
      'live-chart': Partial<Pick<LiveChart, 'chart' | 'view' | 'large' | 'boosts'>> & { key?: string };
    }
  }
}

interface Shared {
  view: View;
  large?: boolean;
  /** Charts have a button that makes their inspectors run faster. */
  boosts?: Boosts;
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

function Own(props: Shared & { charts: Chart[] }) {
  const open = useSignal(false);
  return (
    <details class="own" onToggle={(e) => (open.value = e.currentTarget.open)}>
      <summary>What measuring costs</summary>
      {open.value && <Grid {...props} />}
    </details>
  );
}

function Grid({ charts, view, large, boosts }: Shared & { charts: Chart[] }) {
  return (
    <div class={large ? 'grid large' : 'grid'}>
      {charts.map((chart) => (
        <live-chart key={chart.id} chart={chart} view={view} large={large ?? false} boosts={boosts} />
      ))}
    </div>
  );
}
