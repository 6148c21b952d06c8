// Many hosts side by side: the query for a key, and drawings of the answer: a line for
// each of a few hosts, or a heat map and a band for many. Pure.

import { metricName } from '../charts/promql.ts';
import type { Column, Frame } from '../charts/frame.ts';
import { meaningOf, type Unit } from '../lib/units.ts';
import { numberOf } from './matrix.ts';
import { compareNames } from './names.ts';
import type { Found } from './prom.ts';

/** Up to this many hosts have a line each. */
export const mostLines = 12;
/** Up to this many hosts are named in a query; otherwise it asks for all. */
const mostNamed = 60;

/** The keys that are compared by default. */
export const usualKeys = ['load/average-1', 'cpu/used_percent', 'memory/used_percent', 'disk/used_percent', 'network/receive_bytes_total', 'network/transmit_bytes_total'];

/** The title of a key's chart, and its unit. */
export function titleOf(key: string): { title: string; unit: Unit } {
  const { unit, rate } = meaningOf(key.split('/').slice(1).join('/') || key, undefined);
  return { title: `${key}${rate ? ', per second' : ''}`, unit };
}

/** One value for each host: the sum of the growth of its counters, or the highest of its gauges. */
export function queryFor(key: string, hosts: string[]): string {
  const { rate } = meaningOf(key.split('/').slice(1).join('/') || key, undefined);
  const of = [`key=${JSON.stringify(key)}`];
  if (hosts.length <= mostNamed) of.push(`host=~${JSON.stringify(hosts.map(pattern).join('|'))}`);
  const selector = `${metricName(key)}{${of.join(', ')}}`;
  return rate ? `sum by (host) (rate(${selector}[1m]))` : `max by (host) (${selector})`;
}

function pattern(host: string): string {
  return host.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
}

/** The answers of the compared hosts; a query may have found others too. */
export function only(found: Found[], hosts: ReadonlySet<string>): Found[] {
  return found.filter((f) => hosts.has(f.metric.host ?? ''));
}

/** A host and its values, one for each time; NaN if it has none. */
export interface HeatRow {
  host: string;
  values: Float64Array;
  mean: number;
}

export interface Heat {
  /** Seconds, on the browser's clock. */
  times: number[];
  /** The highest mean first. */
  rows: HeatRow[];
  low: number;
  high: number;
}

/** The values of hosts on the grid from start to end (ms of the master), every step ms. */
export function heatOf(found: Found[], start: number, end: number, step: number, offset: number): Heat {
  const count = Math.max(1, Math.floor((end - start) / step) + 1);
  const times = Array.from({ length: count }, (_, i) => (start + i * step + offset) / 1000);
  let low = Infinity;
  let high = -Infinity;
  const rows = found.map(({ metric, points }): HeatRow => {
    const values = new Float64Array(count).fill(NaN);
    let sum = 0;
    let n = 0;
    for (const [t, text] of points) {
      const i = Math.round((t * 1000 - start) / step);
      const v = numberOf(text);
      if (i < 0 || i >= count || !Number.isFinite(v)) continue;
      values[i] = v;
      sum += v;
      n++;
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
    return { host: metric.host ?? '', values, mean: n > 0 ? sum / n : NaN };
  });
  const order = (r: HeatRow): number => (Number.isNaN(r.mean) ? -Infinity : r.mean);
  rows.sort((a, b) => order(b) - order(a) || compareNames(a.host, b.host));
  return { times, rows, low: low === Infinity ? 0 : low, high: high === -Infinity ? 0 : high };
}

/** The value below which a fraction of some sorted values lies. */
export function quantile(sorted: ArrayLike<number>, part: number): number {
  if (sorted.length === 0) return NaN;
  const at = part * (sorted.length - 1);
  const below = Math.floor(at);
  const rest = at - below;
  return rest === 0 ? sorted[below] : sorted[below] * (1 - rest) + sorted[below + 1] * rest;
}

/** The median of all hosts at each time, in the band that contains eight of ten hosts. */
export function bandOf({ times, rows }: Heat): Frame {
  const high: Column = [];
  const low: Column = [];
  const middle: Column = [];
  for (let i = 0; i < times.length; i++) {
    const values = Float64Array.from(rows.map((r) => r.values[i]).filter((v) => !Number.isNaN(v))).sort();
    const put = (column: Column, part: number): void => void column.push(values.length > 0 ? quantile(values, part) : null);
    put(high, 0.9);
    put(middle, 0.5);
    put(low, 0.1);
  }
  return { times, columns: [high], lows: [low], middles: [middle], lonely: [[]] };
}

/** The share of the strongest colour for a value, 0 to 1; from zero if no value is negative. */
export function shade(value: number, low: number, high: number): number {
  const bottom = Math.min(0, low);
  return high > bottom ? Math.max(0, Math.min(1, (value - bottom) / (high - bottom))) : 0;
}
