import { expect, test } from 'vitest';
import { Store } from '../data/store.ts';
import type { InspectorStatus } from '../data/wire.ts';
import { groupsOf, idle } from './host-groups.ts';

const inspector = (name: string): InspectorStatus => {
  const counts = { runs: 0, failures: 0, timeouts: 0, missed: 0, crashes: 0 };
  return { name, kind: 'script', revision: '', interval_ms: 1000, state: 'ok', since_ms: 0, ...counts };
};

function filled(series: [key: string, kind: 'gauge' | 'counter', at: (s: number) => number][], samples = 8): Store {
  const store = new Store(() => 20_000);
  store.setHost({
    host: 'h',
    state: 'up',
    since_ms: 0,
    last_seen_ms: 0,
    skew_ms: 0,
    series: 0,
    samples: 0,
    inspectors: ['load', 'load/average-1', 'postgres/lag'].map(inspector),
  });
  for (let s = 0; s < samples; s++) {
    const declared = series.map(([key, kind], i) => ({ id: i + 1, host: 'h', key, kind }));
    store.apply({
      subscription: 1,
      series: s === 0 ? declared : [],
      t: series.map(() => 10_000 + s * 1000),
      s: series.map((_, i) => i + 1),
      v: series.map(([, , at]) => at(s)),
    });
  }
  return store;
}

test('charts of one name stand together, under the full names of their inspectors', () => {
  const host = filled([
    ['load/average-1', 'gauge', () => 1],
    ['load/average-5', 'gauge', () => 1],
    ['postgres/lag/replay_seconds', 'gauge', () => 1],
    ['postgres/lag/bytes', 'gauge', () => 1],
    ['vedette/inspector_success', 'gauge', () => 1],
  ]).get('h')!;
  const groups = groupsOf(host, host.charts.value);
  expect(groups.map((g) => [g.name, g.inspectors.map((i) => i.name), g.charts.length])).toEqual([
    ['load', ['load', 'load/average-1'], 1],
    ['postgres', ['postgres/lag'], 2],
  ]);
});

test('a chart of zeros is idle, and one that is not, or has hardly begun, is not', () => {
  const of = (series: Parameters<typeof filled>[0], samples?: number): boolean => idle(filled(series, samples).get('h')!.charts.value[0]);
  expect(of([['errors/seen', 'gauge', () => 0]])).toBe(true);
  expect(of([['errors/seen', 'gauge', (s) => (s === 3 ? 1 : 0)]])).toBe(false);
  expect(of([['errors/a', 'gauge', () => 0], ['errors/b', 'gauge', () => 7]])).toBe(false);
  expect(of([['errors/seen_total', 'counter', () => 42]])).toBe(true);
  expect(of([['errors/seen_total', 'counter', (s) => 42 + s]])).toBe(false);
  expect(of([['errors/seen', 'gauge', () => 0]], 3)).toBe(false);
});
