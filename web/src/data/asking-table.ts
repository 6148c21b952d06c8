// The answers of hosts as a table, grouped and counted, and as files. Pure. `vedette
// ask` shows the same in a terminal.

import type { Answered, Silent } from './asking.ts';
import { csvOf } from './matrix.ts';
import { compareNames } from './names.ts';

/** Columns beside the labels. */
const fixed = ['host', 'key', 'value'];

/** The cell of a row in a column; '' for a label that it lacks. */
export function cellOf(row: Answered, column: string): string {
  switch (column) {
    case 'host':
      return row.host;
    case 'key':
      return row.key;
    case 'value':
      return String(row.value);
    default:
      return Object.hasOwn(row.labels, column) ? row.labels[column] : '';
  }
}

/** The names of all labels, in order, except those that are named like a column. */
export function labelsOf(rows: Answered[]): string[] {
  const names = new Set(rows.flatMap((r) => Object.keys(r.labels)));
  return [...names].filter((n) => !fixed.includes(n)).sort(compareNames);
}

/** The columns of all answers. */
export function columnsOf(rows: Answered[]): string[] {
  return ['host', 'key', ...labelsOf(rows), 'value'];
}

/** What rows with the same values in some columns have in common. */
export interface Group {
  id: string;
  by: Record<string, string>;
  hosts: string[];
  values: number;
  min: number;
  mean: number;
  max: number;
}

/** Groups of rows; those with the most hosts come first. */
export function groupsOf(rows: Answered[], columns: string[]): Group[] {
  const groups = new Map<string, Group & { seen: Set<string> }>();
  for (const row of rows) {
    const cells = columns.map((c) => cellOf(row, c));
    const id = JSON.stringify(cells);
    let g = groups.get(id);
    if (!g) {
      g = { id, by: Object.fromEntries(columns.map((c, i) => [c, cells[i]])), hosts: [], seen: new Set(), values: 0, min: row.value, mean: 0, max: row.value };
      groups.set(id, g);
    }
    g.seen.add(row.host);
    g.values++;
    g.min = Math.min(g.min, row.value);
    g.max = Math.max(g.max, row.value);
    // A running mean, because a sum could overflow.
    g.mean += row.value / g.values - g.mean / g.values;
  }
  return [...groups.values()]
    .map(({ seen, ...g }) => ({ ...g, hosts: [...seen].sort(compareNames) }))
    .sort((a, b) => b.hosts.length - a.hosts.length || compareNames(a.id, b.id));
}

/** The shown table as CSV. */
export function answersCSV(rows: Answered[], by: string[]): string {
  if (by.length === 0) {
    const columns = columnsOf(rows);
    return csvOf([columns, ...rows.map((r) => columns.map((c) => cellOf(r, c)))]);
  }
  const groups = groupsOf(rows, by);
  return csvOf([[...by, 'hosts', 'values', 'min', 'mean', 'max'], ...groups.map((g) => [...by.map((c) => g.by[c]), ...[g.hosts.length, g.values, g.min, g.mean, g.max].map(String)])]);
}

/** The shown table as JSON, and the hosts that are not in it. */
export function answersJSON(rows: Answered[], by: string[], silent: Silent[]): string {
  const list = [...silent].sort((a, b) => compareNames(a.host, b.host));
  if (by.length === 0) return JSON.stringify({ rows, silent: list }, null, 2);
  const groups = groupsOf(rows, by).map(({ id: _, hosts, ...g }) => ({ ...g, hosts: hosts.length, names: hosts }));
  return JSON.stringify({ groups, silent: list }, null, 2);
}
