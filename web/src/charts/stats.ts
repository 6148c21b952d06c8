// The values of a line of a chart, summed up. Pure.

import { format, type Unit } from '../lib/units.ts';
import type { Sums } from './captions.ts';
import { bandOf } from './drawing.ts';
import type { Column, Frame } from './frame.ts';
import { short } from './values.ts';

/** What a summary has of a line, in the order of its columns. */
export const statNames = ['min', 'mean', 'max', 'last'];

interface Values {
  min: number;
  mean: number;
  max: number;
  last: number;
}

function numbers(column: Column | undefined): number[] {
  return (column ?? []).filter((v) => typeof v === 'number');
}

/** The sums of a line, or null where it has no values. */
export function sumsOf(frame: Frame, line: number): Values | null {
  const [lows, middles, highs] = bandOf(frame, line).map(numbers);
  if (middles.length === 0) return null;
  return {
    min: lows.reduce((a, b) => Math.min(a, b)),
    mean: middles.reduce((m, v, i) => m + (v - m) / (i + 1), 0),
    max: highs.reduce((a, b) => Math.max(a, b)),
    last: middles[middles.length - 1],
  };
}

/**
 * The columns of a legend. At a row of the crosshair the last cell is the value there, and
 * where the row stands for many samples the others are of these. A frame is summed up
 * once, however often the crosshair moves over it.
 */
export class Summary implements Sums {
  private frame: Frame | null = null;
  private known: (Values | null)[] = [];

  /** `alone` says whether the chart has one line, so that there is room for its trend. */
  constructor(private readonly alone: () => boolean) {}

  get columns(): string[] {
    return this.alone() ? [...statNames, 'trend'] : statNames;
  }

  cells(frame: Frame, line: number, unit: Unit, row: number | null, last: string): string[] {
    if (frame !== this.frame) this.known = [];
    this.frame = frame;
    const sums = (this.known[line] ??= sumsOf(frame, line));
    const text = (v: Column[number]): string => (typeof v === 'number' ? short(format(v, unit)) : '–');
    if (!sums) return ['–', '–', '–', last];
    const trend = this.alone() ? [trendText(frame, line)] : [];
    if (frame.lows && row !== null) {
      const [low, middle, high] = bandOf(frame, line).map((column) => text(column[row]));
      return [low, middle, high, middle, ...trend];
    }
    return [text(sums.min), text(sums.mean), text(sums.max), frame.lows ? text(sums.last) : last, ...trend];
  }
}

const fewest = 10; // values of which a trend can be told
const steady = 0.02; // a change below this part of the value is none

/** How a line has gone from the first fifth of what is shown to the last, or '' where that cannot be told. */
export function trendText(frame: Frame, line: number): string {
  const values = numbers(bandOf(frame, line)[1]);
  if (values.length < fewest) return '';
  const fifth = Math.floor(values.length / 5);
  const mean = (list: number[]): number => list.reduce((m, v, i) => m + (v - m) / (i + 1), 0);
  const [before, after] = [mean(values.slice(0, fifth)), mean(values.slice(-fifth))];
  const change = after - before;
  if (Math.abs(change) <= steady * Math.abs(before)) return 'steady';
  const arrow = change > 0 ? '↗' : '↘';
  const part = Math.abs(change / before);
  if (!Number.isFinite(part) || (before < 0) !== (after < 0)) return arrow;
  return part >= 10 ? `${arrow} ×${format(Math.round(after / before), '')}` : `${arrow} ${Math.round(100 * part)} %`;
}
