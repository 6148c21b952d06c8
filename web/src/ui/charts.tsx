// The charts of one host, in their order, the product's own last and folded.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { LiveChart } from '../charts/live-chart.ts';
import type { View } from '../charts/view.ts';
import { selfChart, type Chart, type HostModel } from '../data/store.ts';

declare module 'preact' {
  namespace JSX {
    interface IntrinsicElements {
      'live-chart': Partial<Pick<LiveChart, 'chart' | 'view' | 'large'>> & { key?: string };
    }
  }
}

export function Charts({ host, view, large }: { host: HostModel; view: View; large?: boolean }) {
  useEffect(() => view.mount(host), [host]);
  const charts = host.charts.value;
  const own = charts.filter((c) => c.name === selfChart);
  const others = charts.filter((c) => c.name !== selfChart);
  if (charts.length === 0) return <p class="waiting">Waiting for the first samples.</p>;
  return (
    <>
      <Grid charts={others} view={view} large={large} />
      {own.length > 0 && <Own charts={own} view={view} large={large} />}
    </>
  );
}

function Own({ charts, view, large }: { charts: Chart[]; view: View; large?: boolean }) {
  const open = useSignal(false);
  return (
    <details class="own" onToggle={(e) => (open.value = e.currentTarget.open)}>
      <summary>What measuring costs</summary>
      {open.value && <Grid charts={charts} view={view} large={large} />}
    </details>
  );
}

function Grid({ charts, view, large }: { charts: Chart[]; view: View; large?: boolean }) {
  return (
    <div class={large ? 'grid large' : 'grid'}>
      {charts.map((chart) => (
        <live-chart key={chart.id} chart={chart} view={view} large={large ?? false} />
      ))}
    </div>
  );
}
