// Results of queries as lines of a chart, as rows of a table, and as CSV. Pure.

import type { Column, Frame } from '../charts/frame.ts';
import { meaningOf, type Unit } from '../lib/units.ts';
import { compareNames } from './names.ts';
import type { Found, Metric } from './prom.ts';

/** A line of a chart: a series of one of the queries. */
export interface QueryLine {
  /** Place of its query among them. */
  query: number;
  name: string;
  /** Everything that distinguishes it from others, for a tooltip. */
  full: string;
  found: Found;
}

/** A number as Prometheus writes it. */
export function numberOf(text: string): number {
  if (text === '+Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  return Number(text);
}

const metricName = '__name__';

/** A series as PromQL writes it: name{label="value"}. */
export function seriesText(metric: Metric, without: ReadonlySet<string> = new Set()): string {
  const labels = Object.keys(metric)
    .filter((n) => n !== metricName && !without.has(n))
    .sort(compareNames)
    .map((n) => `${n}=${JSON.stringify(metric[n])}`);
  const name = without.has(metricName) ? '' : (metric[metricName] ?? '');
  return labels.length > 0 ? `${name}{${labels.join(', ')}}` : name;
}

/** Labels that all series have with the same value. */
export function sharedLabels(list: Found[]): Set<string> {
  const first = list[0]?.metric ?? {};
  return new Set(Object.keys(first).filter((n) => list.every((f) => f.metric[n] === first[n])));
}

/**
 * The single label that distinguishes all series, so that its values are enough as
 * names; '' if there is none.
 */
function onlyLabel(list: Found[], shared: ReadonlySet<string>): string {
  const names = new Set(list.flatMap((f) => Object.keys(f.metric).filter((n) => !shared.has(n))));
  const [only] = names;
  return list.length > 1 && names.size === 1 && only !== metricName ? only : '';
}

/** The metric names in a query, as far as its text shows. */
export function metricsOf(query: string): string[] {
  const text = query.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""');
  const names = [...text.matchAll(/[A-Za-z_:][\w:]*(?=\s*(?:[{[)]|$|\s|,))/g)].map((m) => m[0]);
  return [...new Set(names.filter((n) => n.includes('_') && !/_(over_time|quantile|left|right|values)$/.test(n)))];
}

/** Names the lines of several queries by what distinguishes them. */
export function linesOf(answers: Found[][], queries: string[]): QueryLine[] {
  const all = answers.flat();
  const shared = sharedLabels(all);
  // The key repeats the name.
  shared.add('key');
  const only = answers.length === 1 ? onlyLabel(all, shared) : '';
  const nameOf = (m: Metric): string => (only ? m[only] : '') || seriesText(m, shared);
  const lines = answers.flatMap((list, query) =>
    list.map((found): QueryLine => ({ query, full: seriesText(found.metric) || queries[query], found, name: nameOf(found.metric) })),
  );
  const times = new Map<string, number>();
  for (const { name } of lines) times.set(name, (times.get(name) ?? 0) + 1);
  return lines.map((line) => (line.name !== '' && times.get(line.name) === 1 ? line : { ...line, name: longName(line, queries[line.query], all.length === 1) }));
}

/** The name of a line whose labels alone do not distinguish it. */
function longName({ name, found: { metric } }: QueryLine, query: string, alone: boolean): string {
  const metrics = metricsOf(query);
  const base = metric[metricName] ?? (metrics.length === 1 ? metrics[0] : '');
  if (alone) return seriesText(metric, new Set(['key', 'host'])) || seriesText(metric, new Set(['key'])) || query;
  const labels = name.slice(name.startsWith('{') ? 0 : (metric[metricName]?.length ?? 0));
  return base ? base + labels : labels ? `${query} ${labels}` : query;
}

/** Lines with the largest last values first, so that the most important ones are drawn. */
export function largest(lines: QueryLine[], most: number): QueryLine[] {
  if (lines.length <= most) return lines;
  const size = ({ found: { points } }: QueryLine): number => {
    const value = Math.abs(numberOf(points[points.length - 1][1]));
    return Number.isNaN(value) ? -1 : value;
  };
  const chosen = new Set([...lines].sort((a, b) => size(b) - size(a)).slice(0, most));
  return lines.filter((l) => chosen.has(l));
}

/**
 * The frame of lines with points on a grid of `step` ms. `offset` (ms) is added to
 * every time. A point of the grid without a value is a gap.
 */
export function frameOf(lines: QueryLine[], step: number, offset: number): Frame {
  const ms = (t: number): number => Math.round(t * 1000);
  const told = [...new Set(lines.flatMap((l) => l.found.points.map(([t]) => ms(t))))].sort((a, b) => a - b);
  // A pause of all lines gets a row without values.
  const rows = told.flatMap((t, i) => (i > 0 && t - told[i - 1] > 1.5 * step ? [told[i - 1] + step, t] : [t]));
  const at = new Map(rows.map((t, i) => [t, i]));
  const columns = lines.map(({ found: { points } }) => {
    const column: Column = new Array(rows.length).fill(null);
    for (const [t, text] of points) {
      const value = numberOf(text);
      if (Number.isFinite(value)) column[at.get(ms(t))!] = value;
    }
    return column;
  });
  return { times: rows.map((t) => (t + offset) / 1000), columns, lonely: columns.map(lonelyRows) };
}

function lonelyRows(column: Column): number[] {
  const has = (i: number): boolean => typeof column[i] === 'number';
  return column.flatMap((_, i) => (has(i) && !has(i - 1) && !has(i + 1) ? [i] : []));
}

const perSecond: Partial<Record<Unit, Unit>> = { bytes: 'bytes/s', seconds: 'seconds/s', count: '/s', '': '/s' };
const whole: Partial<Record<Unit, Unit>> = { 'bytes/s': 'bytes', 'seconds/s': 'seconds', '/s': 'count' };

/** The unit of a query's result, as far as its text shows. */
export function unitOf(query: string): Unit {
  const text = query.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""');
  if (/^\s*(count|count_values|group)\b/.test(text)) return 'count';
  if (/[*/^%]|\b(bool|atan2|stdvar|log2|log10|ln|sqrt|absent|changes|resets)\b/.test(text)) return '';
  const names = metricsOf(query);
  const keys = names.length > 0 ? names : [...query.matchAll(/\bkey\s*=~?\s*"([^"]*)"/g)].map((m) => m[1].split('|')[0]);
  const units = new Set(keys.map((n) => meaningOf(n.split('/').pop()!, undefined).unit));
  if (units.size !== 1) return '';
  const [unit] = units;
  const plain = whole[unit] ?? unit;
  return /\b(rate|irate|deriv)\s*\(/.test(text) ? (perSecond[plain] ?? '') : plain;
}

/** A row of a table: the labels, and the value of one query. */
export interface ValueRow {
  id: string;
  query: number;
  labels: Metric;
  value: number;
  /** As Prometheus writes it. */
  text: string;
}

/** The last value of each series. */
export function rowsOf(answers: Found[][]): ValueRow[] {
  return answers.flatMap((list, query) =>
    list.map(({ metric, points }): ValueRow => {
      const [, text] = points[points.length - 1];
      return { id: `${query} ${seriesText(metric)}`, query, labels: metric, value: numberOf(text), text };
    }),
  );
}

/** The names of all labels: the name, the host, and the others in order. */
export function labelNames(rows: { labels: Metric }[]): string[] {
  const names = new Set(rows.flatMap((r) => Object.keys(r.labels)));
  const first = [metricName, 'host'].filter((n) => names.delete(n));
  return [...first, ...[...names].sort(compareNames)];
}

/** A cell of CSV. A text that a spreadsheet would run as a formula stays text. */
export function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) && !/^[+-]?(\d|\.\d|Inf$)/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csvOf(rows: string[][]): string {
  return rows.map((row) => row.map(csvCell).join(',')).join('\r\n') + '\r\n';
}

/** The last values as comma-separated values: a row a series. */
export function tableCSV(rows: ValueRow[], queries: string[]): string {
  const names = labelNames(rows);
  const several = queries.length > 1;
  const head = [...(several ? ['query'] : []), ...names, 'value'];
  return csvOf([head, ...rows.map((r) => [...(several ? [queries[r.query]] : []), ...names.map((n) => r.labels[n] ?? ''), r.text])]);
}

/** Lines over time as comma-separated values: a row a time (UTC), a column a line. */
export function linesCSV(lines: QueryLine[]): string {
  const times = [...new Set(lines.flatMap((l) => l.found.points.map(([t]) => t)))].sort((a, b) => a - b);
  const columns = lines.map((l) => new Map(l.found.points));
  return csvOf([['time', ...lines.map((l) => l.full)], ...times.map((t) => [new Date(t * 1000).toISOString(), ...columns.map((c) => c.get(t) ?? '')])]);
}
