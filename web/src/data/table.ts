// The rows of the table of hosts: filtered, sorted and grouped. A pure function of the
// hosts and the query.

import { compareNames } from './names.ts';
import { fits, parseQuery, type Subject } from './query.ts';

/** A host as the table sorts it. */
export interface Row extends Subject {
  name: string;
  state: string;
}

export type Item<R> = { group: string; count: number } | { row: R };

export interface Wish<R> {
  query: string;
  /** The sort value, or null to sort by name. */
  by: ((row: R) => string | number) | null;
  down: boolean;
  /** The label to group by; '' for none. */
  group: string;
}

export function itemsOf<R extends Row>(rows: R[], wish: Wish<R>): Item<R>[] {
  const terms = parseQuery(wish.query);
  const shown = order(terms.length > 0 ? rows.filter((r) => fits(terms, r)) : rows, wish);
  if (wish.group === '') return shown.map((row) => ({ row }));
  const groups = new Map<string, R[]>();
  for (const row of shown) {
    const value = row.labels[wish.group] ?? '';
    const group = groups.get(value);
    if (group) group.push(row);
    else groups.set(value, [row]);
  }
  return [...groups]
    .sort(([a], [b]) => Number(a === '') - Number(b === '') || compareNames(a, b))
    .flatMap(([group, list]): Item<R>[] => [{ group, count: list.length }, ...list.map((row) => ({ row }))]);
}

/** Rows without a value come last in either order. */
function order<R extends Row>(rows: R[], { by, down }: Wish<R>): R[] {
  const keyed = rows.map((row) => ({ row, value: by ? by(row) : row.name }));
  const none = (v: string | number): boolean => v === '' || Number.isNaN(v);
  const sign = down ? -1 : 1;
  keyed.sort((a, b) => {
    const x = a.value;
    const y = b.value;
    const missing = Number(none(x)) - Number(none(y));
    if (missing !== 0) return missing;
    if (none(x)) return compareNames(a.row.name, b.row.name);
    const difference = typeof x === 'number' && typeof y === 'number' ? x - y : compareNames(String(x), String(y));
    return sign * difference || compareNames(a.row.name, b.row.name);
  });
  return keyed.map((k) => k.row);
}

/** The items that must be in the document: those on the screen, and some around. */
export function visible(count: number, height: number, top: number, bottom: number, around = 8): [from: number, to: number] {
  const from = Math.max(0, Math.min(count, Math.floor(top / height) - around));
  const to = Math.max(from, Math.min(count, Math.ceil(bottom / height) + around));
  return [from, to];
}

/** The labels that hosts have, and their values, for completion and grouping. */
export function labelsOf(rows: Row[]): Map<string, string[]> {
  const all = new Map<string, Set<string>>();
  for (const { labels } of rows) {
    for (const [name, value] of Object.entries(labels)) {
      if (name === 'host') continue;
      const values = all.get(name);
      if (values) values.add(value);
      else all.set(name, new Set([value]));
    }
  }
  return new Map([...all].sort(([a], [b]) => compareNames(a, b)).map(([n, v]) => [n, [...v].sort(compareNames)]));
}
