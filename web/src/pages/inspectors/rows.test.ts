import { expect, test } from 'vitest';
import type { CatalogEntry, Status } from '../../data/catalog.ts';
import { costOf, matching, rowsOf, trouble } from './rows.ts';

const entry = (name: string, summary: Partial<CatalogEntry['summary']> = {}): CatalogEntry => ({
  name, current: 'a'.repeat(64), selector: 'role=db', kind: 'script', version: '1', author: 'anna', at_ms: 5,
  summary: { hosts: 3, healthy: 3, failed: 0, refused: 0, pending: 0, ...summary },
});
const status = (name: string, more: Partial<Status> = {}): Status => ({
  name, kind: 'script', revision: 'r1', interval_ms: 2000, state: 'ok', since_ms: 0,
  runs: 10, failures: 0, timeouts: 0, missed: 0, crashes: 0, cpu_seconds: 0.1, ...more,
});

test('the cost is what a run takes, as often as it runs', () => {
  expect(costOf(status('x'))).toBeCloseTo(0.005);
  expect(costOf(status('x', { runs: 0 }))).toBe(0);
});

test('the catalog and what hosts run of their own become rows', () => {
  const rows = rowsOf([entry('disk', { healthy: 1, failed: 1, refused: 1 })], [
    { host: 'a', inspectors: [status('disk', { assigned: 'a' }), status('load')] },
    { host: 'b', inspectors: [status('load', { state: 'failing', revision: 'r2' }), status('cpu', { state: 'starting' })] },
  ]);
  expect(rows.map((r) => [r.name, r.origin, r.hosts, r.healthy, r.failing, r.refused, r.pending])).toEqual([
    ['disk', 'pushed', 3, 1, 1, 1, 0],
    ['load', 'own', 2, 1, 1, 0, 0],
    ['cpu', 'own', 1, 0, 0, 0, 1],
  ]);
  expect(rows[0].cost).toBeCloseTo(0.005);
  expect(rows[1].cost).toBeCloseTo(0.01);
  expect(rows[1].revision).toBe('');
  expect(trouble(rows[0])).toBeGreaterThan(trouble(rows[1]));
  expect(trouble(rows[1])).toBeGreaterThan(trouble(rows[2]));
});

test('a filter takes words in any order, states among them', () => {
  const rows = rowsOf([entry('disk', { failed: 1 }), entry('net/lag')], []);
  expect(matching(rows, 'FAILING disk').map((r) => r.name)).toEqual(['disk']);
  expect(matching(rows, 'role=db anna').length).toBe(2);
  expect(matching(rows, 'nothing')).toEqual([]);
});
