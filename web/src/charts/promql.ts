// The PromQL queries that yield the same as a chart. Pure.

import type { Chart, Series } from '../data/store.ts';

/** The stored name of a key, like MetricName in the master. */
export function metricName(key: string): string {
  const bytes = new TextEncoder().encode(key);
  const letters = Array.from(bytes, (c) => (/[A-Za-z0-9]/.test(String.fromCharCode(c)) ? String.fromCharCode(c) : '_')).join('');
  return /^(\d|$)/.test(letters) ? `_${letters}` : letters;
}

/** The host of charts with a line for each host. */
export const everybody = '*';

function selector(keys: string[], host: string): string {
  const names = [...new Set(keys.map(metricName))];
  const of = host === everybody ? [] : [`host=${JSON.stringify(host)}`];
  if (names.length === 1) return of.length > 0 ? `${names[0]}{${of.join(', ')}}` : names[0];
  return `{${[`__name__=~${JSON.stringify(names.join('|'))}`, ...of].join(', ')}}`;
}

/** The window of a rate: a few samples, and at least a minute. */
function windowOf(series: Series[]): string {
  const minutes = Math.max(1, ...series.map((s) => Math.ceil((4 * Math.min(s.track.step(), 3_600_000)) / 60_000)));
  return `${minutes}m`;
}

/** The queries of a chart: one for plain values, one for growth. */
export function queriesOf(chart: Pick<Chart, 'series'> & { host: { name: string } }): string[] {
  const keys = (list: Series[]): string[] => list.map((s) => s.key);
  const plain = chart.series.filter((s) => !s.rate);
  const rates = chart.series.filter((s) => s.rate);
  return [
    ...(plain.length > 0 ? [selector(keys(plain), chart.host.name)] : []),
    ...(rates.length > 0 ? [`rate(${selector(keys(rates), chart.host.name)}[${windowOf(rates)}])`] : []),
  ];
}
