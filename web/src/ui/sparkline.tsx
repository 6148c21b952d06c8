// A line in a table cell: the last minutes of a value. It is SVG, because a canvas
// would be a layer, and compositing some hundred layers costs more than everything else
// while scrolling.

import type { Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { effect } from '@preact/signals';
import { cut } from '../charts/frame.ts';
import type { HostClock } from '../data/clock.ts';
import type { Series } from '../data/store.ts';

const width = 48; // px; as in the style
const height = 20;
const span = 120_000; // ms
const rest = 120; // ms that a cell must stay visible before it is drawn

/** Points of a line within a box, as x and y in turn; what is not a number is left out. Pure. */
export function sparkPoints(times: number[], values: number[], to: number, most: number): number[] {
  const points: number[] = [];
  const top = Math.max(most, ...values.filter(Number.isFinite), 1e-9);
  for (let i = 0; i < times.length; i++) {
    const x = (1 - (to - times[i]) / span) * width;
    if (x < -2 || !Number.isFinite(values[i])) continue;
    points.push(x, height - 1.5 - (Math.max(0, values[i]) / top) * (height - 3));
  }
  return points;
}

/** The clock is read each time, because its offset may become known later. */
export function Sparkline({ lines, most, second, clock }: { lines: Series[]; most: number; second: Signal<number>; clock: Pick<HostClock, 'offset'> }) {
  const path = useRef<SVGPathElement>(null);
  useEffect(() => {
    let stop: (() => void) | undefined;
    // A row that only scrolls past is never drawn.
    const timer = setTimeout(() => {
      stop = effect(() => {
        void second.value;
        path.current?.setAttribute('d', pathOf(lines, most, Date.now() - clock.offset));
      });
    }, rest);
    return () => {
      clearTimeout(timer);
      stop?.();
    };
  }, [lines[0], most]);
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <path ref={path} />
    </svg>
  );
}

const mostLines = 4;

/** The path of some lines up to a time (ms, the host's clock). Pure. */
export function pathOf(lines: Series[], most: number, to: number): string {
  let d = '';
  for (const line of lines.slice(0, mostLines)) {
    const { times, values } = cut(line, to - span, to);
    const points = sparkPoints(times, values, to, most);
    for (let i = 0; i < points.length; i += 2) d += `${i === 0 ? 'M' : 'L'}${points[i].toFixed(1)} ${points[i + 1].toFixed(1)}`;
  }
  return d;
}
