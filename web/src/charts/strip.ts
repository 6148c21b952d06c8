// States as strips: a row for each line, filled while it is 1. A point that stands for
// many samples is filled in proportion to those that were 1.

import type uPlot from 'uplot';
import type { Chart } from '../data/store.ts';
import type { Line } from './plot.ts';
import { faint } from './theme.ts';

const named = /(^|[/_-])(up|ok|success|active|healthy|enabled|ready|online|alive|reachable|running_state|valid|mounted|leader)$/;
const enough = 5; // samples after which a line without such a name counts as a state

/**
 * Whether all lines of a chart are states: only ever 0 and 1, and named like a
 * state, or observed for a while.
 */
export function isStates({ unit, series }: Pick<Chart, 'unit' | 'series'>): boolean {
  if (unit !== '' || series.length === 0) return false;
  return series.every(({ rate, key, track, past }) => {
    if (rate || track.length < (named.test(key) ? 1 : enough)) return false;
    return [track, past].every((t) => {
      for (let i = t?.start ?? 0; t && i < t.end; i++) if (t.values[i] !== 0 && t.values[i] !== 1) return false;
      return true;
    });
  });
}

/** The height in pixels of a plot of strips. */
export function stripHeight(lines: number): number {
  return 34 + 24 * lines;
}

export interface Piece {
  from: number;
  to: number;
  /** The fraction of the time in which it was 1. */
  value: number;
}

/** The pieces of a column (times in seconds): a value holds until the next one, or until a gap. */
export function piecesOf(times: ArrayLike<number>, column: ArrayLike<number | null | undefined>, end: number): Piece[] {
  const out: Piece[] = [];
  let open: Piece | null = null;
  for (let i = 0; i < times.length; i++) {
    const value = column[i];
    if (value === undefined) continue; // another line has a sample here
    if (open && (value === null || value !== open.value)) {
      open.to = times[i];
      open = null;
    }
    if (typeof value === 'number' && !open) out.push((open = { from: times[i], to: end, value: Math.min(1, Math.max(0, value)) }));
  }
  if (open) open.to = Math.min(end, times[times.length - 1] + stepOf(times));
  return out;
}

function stepOf(times: ArrayLike<number>): number {
  return times.length > 1 ? times[times.length - 1] - times[times.length - 2] : 0;
}

/** Draws strips in place of lines. */
export function stripShape(options: uPlot.Options, lines: Line[]): uPlot.Options {
  const [x, y] = options.axes!;
  const count = lines.length;
  return {
    ...options,
    cursor: { ...options.cursor, points: { show: false } },
    scales: { ...options.scales, y: { range: [0, count] } },
    axes: [x, { ...y, grid: { show: false }, values: (_u, splits) => splits.map(() => '') }],
    series: options.series.map((s, i) => (i === 0 ? s : { ...s, paths: () => null, points: { show: false } })),
    bands: [],
    hooks: { ...options.hooks, draw: [(u) => lines.forEach((line, i) => line.shown && drawRow(u, i, count))] },
  };
}

function drawRow(u: uPlot, line: number, count: number): void {
  const { ctx } = u;
  const { left, top, width, height } = u.bbox;
  const stroke = u.series[line + 1].stroke;
  const colour = String(typeof stroke === 'function' ? stroke(u, line + 1) : stroke);
  if (!u.series[line + 1].show) return;
  const row = height / count;
  const gap = Math.min(row / 4, 6 * devicePixelRatio);
  const floor = top + (line + 1) * row - gap / 2;
  const full = row - gap;
  const clamp = (at: number): number => Math.min(left + width, Math.max(left, at));
  ctx.save();
  for (const { from, to, value } of piecesOf(u.data[0], u.data[line + 1], u.scales.x.max ?? Infinity)) {
    const [a, b] = [clamp(u.valToPos(from, 'x', true)), clamp(u.valToPos(to, 'x', true))];
    if (b <= a) continue;
    ctx.fillStyle = faint(colour, 0.18); // there were samples
    ctx.fillRect(a, floor - full, b - a, full);
    ctx.fillStyle = colour;
    const filled = Math.max(full * value, 2 * devicePixelRatio); // 0 is drawn as a line at the bottom
    ctx.fillRect(a, floor - filled, b - a, filled);
  }
  ctx.restore();
}

