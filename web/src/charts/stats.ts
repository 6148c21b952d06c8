// The values of a line of a chart, summed up. Pure.

import { format, type Unit } from '../lib/units.ts';
import type { Frame } from './frame.ts';
import { lastText, short } from './values.ts';

/** The lowest, the mean, the highest and the last of the values of a line, as people read them. */
export function statsText(frame: Frame, line: number, unit: Unit): string {
  const known = (frame.columns[line] ?? []).filter((v) => typeof v === 'number');
  if (known.length < 2) return lastText(frame, line, unit);
  const mean = known.reduce((m, v, i) => m + (v - m) / (i + 1), 0);
  const parts = { min: known.reduce((a, b) => Math.min(a, b)), mean, max: known.reduce((a, b) => Math.max(a, b)), last: known[known.length - 1] };
  return Object.entries(parts)
    .map(([name, v]) => `${name} ${short(format(v, unit))}`)
    .join(' · ');
}
