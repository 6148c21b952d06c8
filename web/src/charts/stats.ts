// Summaries of the values of a line. Pure.

import { format, type Unit } from '../lib/units.ts';
import type { Sums } from './captions.ts';
import { bandOf } from './drawing.ts';
import type { Column, Frame } from './frame.ts';
import { short } from './values.ts';

/** The values of a summary, in the order of its columns. */
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

/** The summary of a line, or null if it has no values. */
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
 * The columns of a legend. At a row of the crosshair the last cell is the value
 * there, and if the row stands for many samples, the other cells summarise them. A
 * frame is summarised once, however often the crosshair moves.
 */
export class Summary implements Sums {
  private frame: Frame | null = null;
  private known: (Values | null)[] = [];

  /** `alone`: the chart has only one line, so there is room for its trend. */
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

const fewest = 10; // the fewest values that have a trend
const steady = 0.02; // a change below this fraction of the value is none

/** The trend of a line from the first fifth to the last, or '' if it has none. */
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
