// A line in a table cell: the last minutes of a value, on a canvas of its own.

import type { Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { effect } from '@preact/signals';
import { cut } from '../charts/frame.ts';
import type { HostClock } from '../data/clock.ts';
import type { Series } from '../data/store.ts';

const width = 48; // px; as in the style
const height = 20;
const span = 120_000; // ms
const rest = 120; // ms that a cell has to stay before it is drawn

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

/** The clock is asked each time: how far it is off may be known only later. */
export function Sparkline({ lines, most, second, clock }: { lines: Series[]; most: number; second: Signal<number>; clock: Pick<HostClock, 'offset'> }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    let stop: (() => void) | undefined;
    // A row that is only passed by while the page scrolls is never drawn.
    const timer = setTimeout(() => {
      stop = effect(() => {
        void second.value;
        if (canvas.current) draw(canvas.current, lines, most, clock.offset);
      });
    }, rest);
    return () => {
      clearTimeout(timer);
      stop?.();
    };
  }, [lines[0], most]);
  return <canvas ref={canvas} class="spark" aria-hidden="true" />;
}

function draw(canvas: HTMLCanvasElement, lines: Series[], most: number, offset: number): void {
  const scale = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const c = canvas.getContext('2d');
  if (!c) return;
  c.setTransform(scale, 0, 0, scale, 0, 0);
  c.clearRect(0, 0, width, height);
  c.strokeStyle = getComputedStyle(canvas).color;
  const to = Date.now() - offset;
  for (const line of lines.slice(0, 4)) {
    const { times, values } = cut(line, to - span, to);
    const points = sparkPoints(times, values, to, most);
    c.beginPath();
    for (let i = 0; i < points.length; i += 2) {
      if (i === 0) c.moveTo(points[0], points[1]);
      else c.lineTo(points[i], points[i + 1]);
    }
    c.stroke();
  }
}
