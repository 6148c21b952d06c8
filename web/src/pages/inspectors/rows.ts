// The rows of the list of inspectors: those of the catalog, and the hosts' own.

import type { CatalogEntry, Status } from '../../data/catalog.ts';

export interface Row {
  name: string;
  origin: 'pushed' | 'own';
  kind: string;
  /** The revision that all hosts run; '' if they differ. */
  revision: string;
  /** The label selector; '' is every host. */
  selector: string;
  hosts: number;
  healthy: number;
  failing: number;
  refused: number;
  pending: number;
  /** Processor time over all hosts, in seconds a second. */
  cost: number;
  author: string;
  atMs: number;
}

export interface HostStatuses {
  host: string;
  inspectors: Status[];
}

/** Processor seconds a second that an inspector takes on a host. */
export function costOf(i: Status): number {
  return i.runs > 0 && i.interval_ms > 0 ? ((i.cpu_seconds ?? 0) / i.runs) * (1000 / i.interval_ms) : 0;
}

export function rowsOf(catalog: CatalogEntry[], hosts: HostStatuses[]): Row[] {
  const rows = new Map<string, Row>();
  for (const e of catalog) {
    const { hosts: all, healthy, failed: failing, refused, pending } = e.summary;
    rows.set(e.name, {
      name: e.name, origin: 'pushed', kind: e.kind, revision: e.current, selector: e.selector,
      hosts: all, healthy, failing, refused, pending, cost: 0, author: e.author, atMs: e.at_ms,
    });
  }
  for (const { inspectors } of hosts) {
    for (const i of inspectors) {
      const row = rows.get(i.name) ?? ownRow(i);
      rows.set(i.name, row);
      row.cost += costOf(i);
      if (row.origin === 'own') count(row, i);
    }
  }
  return [...rows.values()];
}

function ownRow(i: Status): Row {
  return {
    name: i.name, origin: 'own', kind: i.kind, revision: i.revision, selector: '',
    hosts: 0, healthy: 0, failing: 0, refused: 0, pending: 0, cost: 0, author: '', atMs: 0,
  };
}

function count(row: Row, i: Status): void {
  row.hosts++;
  if (i.revision !== row.revision) row.revision = '';
  if (i.state === 'ok') row.healthy++;
  else if (i.state === 'starting') row.pending++;
  else row.failing++;
}

/** The worst first: failed or refused, then in progress, then by name. */
export function trouble(row: Row): number {
  return (row.failing + row.refused) * 1000 + row.pending;
}

/** Rows in whose shown text all words occur. */
export function matching(rows: Row[], filter: string): Row[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((r) => {
    const states = [r.failing && 'failing', r.refused && 'refused', r.pending && 'pending'].filter(Boolean);
    const text = [r.name, r.origin, r.kind, r.revision, r.selector, r.author, ...states].join(' ').toLowerCase();
    return words.every((w) => text.includes(w));
  });
}
