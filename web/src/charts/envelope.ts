// The frame of a long window. Its time is divided into columns of equal width. In each
// column every line has its lowest and highest sample or, for a counter, its growth per
// second. The columns do not move while time goes on.

import type { Series } from '../data/store.ts';
import type { Track } from '../data/track.ts';
import { gapSteps, type Column, type Frame } from './frame.ts';

/**
 * Builds the frame of the time from `from` to `to` (ms, the host's clock) in
 * columns of `grain` ms. `offset` is added to every time.
 */
export function buildEnvelope(
  series: Series[],
  from: number,
  to: number,
  offset: number,
  grain: number,
): Frame {
  const first = Math.floor(from / grain) - 1; // so that lines enter the window
  const count = Math.floor(to / grain) - first + 1;
  const times: number[] = [];
  for (let i = 0; i < count; i++) times.push((Math.min(to, (first + i + 0.5) * grain) + offset) / 1000);
  const lines = series.map((s) => (s.rate ? rates : extremes)(s, first, count, grain));
  const frame: Frame = {
    times,
    columns: lines.map((l) => l.high),
    lonely: lines.map((l) => lonelyRows(l.high)),
  };
  if (series.some((s) => !s.rate)) {
    frame.lows = lines.map((l) => l.low);
    frame.middles = lines.map((l, i) => (series[i].rate ? l.high : means(series[i], l, first, grain)));
  }
  return frame;
}

interface Line {
  high: Column;
  low: Column;
}

/**
 * The mean of each column: of the samples if all of them are here, else the
 * master's, else the midpoint of the lowest and the highest.
 */
function means(series: Series, { high, low }: Line, first: number, grain: number): Column {
  const { track, means } = series;
  return high.map((top, i) => {
    const bottom = low[i];
    if (typeof top !== 'number' || typeof bottom !== 'number') return top;
    const begin = (first + i) * grain;
    const at = means ? means.search(begin) : 0;
    const known = means && at < means.end && means.times[at] === begin ? means.values[at] : null;
    const whole = track.length > 0 && track.times[track.start] <= begin;
    return (whole ? null : known) ?? meanOf(track, begin, begin + grain) ?? known ?? (top + bottom) / 2;
  });
}

/** The mean of the samples of a track from one time up to, but not including, another. */
function meanOf(track: Track, from: number, to: number): number | null {
  let mean = 0;
  let n = 0;
  for (let i = track.search(from); i < track.end && track.times[i] < to; i++) mean += (track.values[i] - mean) / ++n;
  return n > 0 ? mean : null;
}

/** Calls visit for each sample in order: the thinned ones, then the live ones after them. */
function walk(series: Series, from: number, to: number, visit: (t: number, v: number) => void): void {
  const { past, track } = series;
  const seam = past && past.length > 0 ? past.lastTime : -Infinity;
  const over = (part: Track, begin: number): void => {
    for (let i = begin; i < part.end && part.times[i] <= to; i++) visit(part.times[i], part.values[i]);
  };
  // One sample before the window: lines start from it, and counters grow from it.
  if (past) over(past, Math.max(past.start, past.search(from) - 1));
  const live = track.search(Math.max(seam, from));
  if (seam < from) over(track, Math.max(track.start, live - 1));
  else over(track, live < track.end && track.times[live] === seam ? live + 1 : live);
}

/** Milliseconds from one sample to the next. */
function stepOf({ past, track }: Series): number {
  return track.length > 1 ? track.step() : (past?.step() ?? 0);
}

/** Milliseconds without a sample that count as a gap. */
function pauseOf(series: Series, grain: number): number {
  return gapSteps * Math.max(stepOf(series), grain);
}

function extremes(series: Series, first: number, count: number, grain: number): Line {
  const high: Column = new Array(count);
  const low: Column = new Array(count);
  const pause = pauseOf(series, grain);
  let before = -Infinity;
  walk(series, first * grain, (first + count) * grain - 1, (t, v) => {
    const i = Math.floor(t / grain) - first;
    if (t - before > pause) breakLine(high, low, Math.floor(before / grain) - first, i);
    before = t;
    if (i < 0) return;
    const top = high[i];
    const bottom = low[i];
    if (typeof top !== 'number' || v > top) high[i] = v;
    if (typeof bottom !== 'number' || v < bottom) low[i] = v;
  });
  return { high, low };
}

/**
 * Growth in each column, divided by the time it took: from the last sample before
 * the column to the last one in it. The lowest and highest samples of a thinned
 * column are where a counter began and ended, so no growth is left out. After a
 * restart, its value since then counts. If the counter rested, nobody knows when it
 * reached its value, so a column between two others counts as its whole time.
 */
function rates(series: Series, first: number, count: number, grain: number): Line {
  const high: Column = new Array(count);
  const pause = pauseOf(series, grain);
  const growth = new Float64Array(count);
  const took = new Float64Array(count);
  const seen = new Uint8Array(count + 1);
  let t0 = -Infinity;
  let v0 = 0;
  walk(series, first * grain, (first + count) * grain - 1, (t, v) => {
    const i = Math.floor(t / grain) - first;
    if (t - t0 > pause) {
      breakLine(high, high, Math.floor(t0 / grain) - first, i);
    } else if (i >= 0) {
      growth[i] += v < v0 ? v : v - v0;
      took[i] += t - t0;
    }
    if (i >= 0) seen[i] = 1;
    t0 = t;
    v0 = v;
  });
  const often = 2 * stepOf(series) <= grain;
  for (let i = 0; i < count; i++) {
    if (took[i] === 0) continue;
    const between = often && seen[i - 1] && seen[i + 1];
    high[i] = (growth[i] / (between ? grain : took[i])) * 1000;
  }
  return { high, low: new Array(count) };
}

/** Marks the columns between two others as a gap. */
function breakLine(high: Column, low: Column, after: number, before: number): void {
  for (let i = Math.max(0, after + 1); i < before; i++) high[i] = low[i] = null;
}

/** Rows that are connected with no neighbour. */
function lonelyRows(column: Column): number[] {
  const out: number[] = [];
  let last = -1; // row of the last value
  let joined = false; // connected with the value before
  for (let i = 0; i <= column.length; i++) {
    const value = i < column.length ? column[i] : null;
    if (value === undefined) continue;
    if (value === null) {
      if (last >= 0 && !joined) out.push(last);
      last = -1;
      continue;
    }
    joined = last >= 0;
    last = i;
  }
  return out;
}
