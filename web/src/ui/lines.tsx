// The charts of one inspector over all its hosts: what came before from the history,
// and what comes now.

import { effect, signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { isOf, Lines } from '../data/lines.ts';
import type { HistoryRange, Samples } from '../data/wire.ts';
import type { Parts } from '../parts.ts';
import './charts.tsx';

const points = 300;
const refetch = 30_000; // ms between two looks at the end of a long window
const mostSpan = 16 * 60_000; // of windows whose every sample is drawn

export function InspectorCharts({ name, session, store, view }: Parts & { name: string }) {
  const lines = useMemo(() => new Lines(store), [name]);
  useEffect(() => {
    const wanted = isOf(name);
    const pattern = `metrics/*/${name}*`;
    const follow = session.rpc.subscribe(
      { pattern, format: 'columns' },
      {
        onStart: () => lines.restart(),
        onNotice: (method, params) => method === 'samples' && lines.take(params as Samples, wanted),
      },
    );
    let turn = 0;
    const again = signal(0);
    const stop = effect(() => {
      void again.value;
      const range = view.time.range.value;
      const span = range ? range.to - range.from : view.time.window.value;
      if (session.link.value.kind !== 'live') return;
      const mine = ++turn;
      const grain = view.grain;
      session.rpc.call<HistoryRange>('history.range', { pattern, ...(range ? { from_ms: range.from, to_ms: range.to } : { from_ms: -span }), points }).then(
        (range) => {
          if (mine !== turn) return;
          lines.store.dropPast(lines.host);
          lines.takePast(range, wanted, grain, Math.max(span + 2 * grain, mostSpan));
          view.refresh(lines.host);
        },
        () => {}, // what comes live is drawn all the same
      );
    });
    // Thinned lines do not grow as samples come.
    const timer = setInterval(() => view.grain > 0 && view.live && again.value++, refetch);
    return () => {
      turn++;
      clearInterval(timer);
      stop();
      follow.close();
    };
  }, [lines]);
  return <LineCharts lines={lines} view={view} />;
}

/** The charts of some lines, as they come. */
export function LineCharts({ lines, view }: { lines: Lines } & Pick<Parts, 'view'>) {
  const charts = lines.host.charts.value;
  if (charts.length === 0) return <p class="waiting">No samples yet.</p>;
  return (
    <div class="grid large across">
      {charts.map((chart) => (
        <live-chart key={chart.id} chart={chart} view={view} large />
      ))}
    </div>
  );
}
