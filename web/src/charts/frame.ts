// Pure functions that turn tracks into what uPlot draws.

import type { Series } from '../data/store.ts';
import { format, type Unit } from '../lib/units.ts';

export type Column = (number | null | undefined)[];

/** A column per line over one column of times; null is a gap, undefined is nothing. */
export interface Frame {
  /** Seconds since the epoch on the browser's clock. */
  times: number[];
  columns: Column[];
  /** The lowest sample of each row, if a row stands for many; columns has the highest. */
  lows?: Column[];
  /** The line within a band; without it, the midpoint of the edges. */
  middles?: Column[];
  /** For each line, the rows without a neighbour to connect with. */
  lonely: number[][];
}

/** The value of a line at a row for people; a range if the row stands for many samples, '' for none. */
export function valueText(frame: Frame, line: number, row: number, unit: Unit): string {
  const high = frame.columns[line]?.[row];
  if (typeof high !== 'number') return '';
  const low = frame.lows?.[line]?.[row];
  const top = format(high, unit);
  if (typeof low !== 'number') return top;
  const bottom = format(low, unit);
  return bottom === top ? top : `${bottom} – ${top}`;
}

/** A pause of more than this many steps is a gap. */
export const gapSteps = 2.5;

interface Cut {
  times: number[]; // ms, the host's clock
  values: number[];
  step: number; // ms; 0 if unknown
}

/**
 * Builds the frame of the samples from `from` to `to` (ms, the host's clock).
 * `offset` is added to every time.
 */
export function buildFrame(series: Series[], from: number, to: number, offset: number): Frame {
  const cuts = series.map((s) => cut(s, from, to));
  // Lines of one inspector have the same times, and mostly no gap.
  if (cuts.length > 0 && cuts.every((c) => sameTimes(c, cuts[0]) && !hasGap(c))) {
    const { times } = cuts[0];
    return { times: times.map((t) => (t + offset) / 1000), columns: cuts.map((c) => c.values), lonely: cuts.map(() => (times.length === 1 ? [0] : [])) };
  }
  const rows = unite(cuts);
  return {
    times: rows.map((t) => (t + offset) / 1000),
    columns: cuts.map((c) => column(c, rows)),
    lonely: cuts.map((c) => lonelyRows(c, rows)),
  };
}

/** The samples of a series in a window, and one before it so that the line enters it. */
export function cut(series: Series, from: number, to: number): Cut {
  const { track } = series;
  const begin = Math.max(track.start, track.search(from) - 1);
  const end = track.search(to + 1);
  // If samples were left out, a pause between them means nothing.
  const step = Math.max(track.step(), track.length > 1 ? track.grain : 0);
  if (series.rate) return rates(series, begin, end, step);
  // Array.from would cost ten times as much.
  const times = new Array<number>(end - begin);
  const values = new Array<number>(end - begin);
  for (let i = begin; i < end; i++) {
    times[i - begin] = track.times[i];
    values[i - begin] = track.values[i];
  }
  return { times, values, step };
}

/**
 * A counter as growth per second. A value below the last one is a counter that
 * restarted from zero; across a gap there is no rate.
 */
function rates(series: Series, begin: number, end: number, step: number): Cut {
  const { track } = series;
  const times: number[] = [];
  const values: number[] = [];
  for (let i = Math.max(begin, track.start + 1); i < end; i++) {
    const dt = track.times[i] - track.times[i - 1];
    if (dt <= 0 || dt > gapSteps * step) continue;
    const growth = track.values[i] - track.values[i - 1];
    times.push(track.times[i]);
    values.push(((growth < 0 ? track.values[i] : growth) / dt) * 1000);
  }
  return { times, values, step };
}

/** The newest value to show, and its time; NaN if there is none. */
export function latest(series: Series): { time: number; value: number } {
  const { track } = series;
  const { times, values } = cut(series, track.lastTime, track.lastTime);
  const last = times.length - 1;
  if (last < 0) return { time: track.lastTime, value: NaN };
  return { time: times[last], value: values[last] };
}

/** All times of all cuts, sorted and without duplicates, and one in every gap. */
function unite(cuts: Cut[]): number[] {
  const inner: number[] = [];
  for (const c of cuts) {
    for (let i = 1; i < c.times.length; i++) {
      if (isGap(c, i)) inner.push(c.times[i - 1] + c.step);
    }
  }
  const all = Float64Array.from(inner.concat(...cuts.map((c) => c.times))).sort();
  const rows: number[] = [];
  for (const t of all) if (t !== rows[rows.length - 1]) rows.push(t);
  return rows;
}

function sameTimes(a: Cut, b: Cut): boolean {
  if (a.times.length !== b.times.length) return false;
  for (let i = a.times.length - 1; i >= 0; i--) if (a.times[i] !== b.times[i]) return false;
  return true;
}

function hasGap(c: Cut): boolean {
  for (let i = 1; i < c.times.length; i++) if (isGap(c, i)) return true;
  return false;
}

/** Whether there is a gap before sample i. */
function isGap(c: Cut, i: number): boolean {
  return c.step > 0 && c.times[i] - c.times[i - 1] > gapSteps * c.step;
}

function column(c: Cut, rows: number[]): Column {
  const out: Column = new Array(rows.length);
  let i = 0;
  for (let r = 0; r < rows.length; r++) {
    if (i < c.times.length && rows[r] === c.times[i]) {
      out[r] = c.values[i++];
    } else if (i > 0 && i < c.times.length && isGap(c, i)) {
      out[r] = null;
    }
  }
  return out;
}

function lonelyRows(c: Cut, rows: number[]): number[] {
  const out: number[] = [];
  let r = 0;
  for (let i = 0; i < c.times.length; i++) {
    const before = i === 0 || isGap(c, i);
    const after = i === c.times.length - 1 || isGap(c, i + 1);
    if (!before || !after) continue;
    while (rows[r] < c.times[i]) r++;
    out.push(r);
  }
  return out;
}

/**
 * Picks the lines to draw if there are too many: those with the largest recent
 * values. Lines that were picked before win a tie, so that lines of zeros do not
 * alternate.
 */
export function topLines(series: Series[], most: number, before: Set<string>): Series[] {
  // Leaving out a single line saves no room, because the button that says so needs as
  // much.
  if (series.length <= most + 1) return series.slice();
  const ranked = series
    .map((s, i) => ({ s, i, value: latest(s).value }))
    .sort(
      (a, b) =>
        (Number.isFinite(b.value) ? Math.abs(b.value) : -1) -
          (Number.isFinite(a.value) ? Math.abs(a.value) : -1) ||
        Number(before.has(b.s.id)) - Number(before.has(a.s.id)) ||
        a.i - b.i,
    );
  const chosen = new Set(ranked.slice(0, most).map((r) => r.s));
  return series.filter((s) => chosen.has(s));
}
