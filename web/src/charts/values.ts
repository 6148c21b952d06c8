// Values for the legend of a chart and for screen readers. Pure.

import type { Series } from '../data/store.ts';
import { clock, since } from '../lib/time.ts';
import { duration, format, type Unit } from '../lib/units.ts';
import { gapSteps, latest, valueText, type Frame } from './frame.ts';

/** A value for the legend. The title says if it is per second. */
export function short(text: string): string {
  return text.replace(/\/s(?= |$)/g, '');
}

/** The newest value of a line, or – if it is too old. `edge` is now, on the clock of the samples. */
export function newestText(series: Series, unit: Unit, edge: number, mayBeStale: boolean): string {
  const { time, value } = latest(series);
  const stale = edge - time > Math.max(5_000, 2 * gapSteps * series.track.step());
  return stale && mayBeStale ? '–' : short(format(value, unit));
}

/** The value of a line at a row, or at the last row before it that has one. */
export function textAt(frame: Frame, line: number, row: number, unit: Unit): string {
  const column = frame.columns[line] ?? [];
  let r = row;
  while (r > 0 && column[r] === undefined) r--;
  return short(valueText(frame, line, r, unit)) || '–';
}

/** The last value that a line has in a frame. */
export function lastText(frame: Frame, line: number, unit: Unit): string {
  const column = frame.columns[line] ?? [];
  let r = column.length - 1;
  while (r > 0 && typeof column[r] !== 'number') r--;
  return short(valueText(frame, line, r, unit)) || '–';
}

/** The time of a row, with its date if it is not today. */
export function timeText(seconds: number, grain: number, now: number): string {
  const ms = seconds * 1000;
  const today = new Date(ms).toDateString() === new Date(now).toDateString();
  return grain >= 5_000 ? since(ms, now) : today ? clock(ms) : `${since(ms, now)}${clock(ms).slice(5)}`;
}

/** How many samples make one point, or '' if every sample is drawn. */
export function samplingText(grain: number, bands: boolean): string {
  if (grain === 0) return '';
  const of = duration(grain / 1000);
  return bands ? `mean, lowest to highest of ${of}` : `average over ${of}`;
}
