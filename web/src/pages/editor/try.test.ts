import { expect, test } from 'vitest';
import type { TrialHost } from '../../data/trial.ts';
import { runFaults, valueRows } from './try.tsx';

test('errors of runs have a place, once for all hosts', () => {
  const host = (name: string, error: string): TrialHost => ({ host: name, state: 'failed', error, ended: false, cost: null, values: [] });
  const faults = runFaults([host('a', 'x.go:3:4: index out of range'), host('b', 'x.go:3:4: index out of range'), host('c', 'no place'), host('d', 'x.go:5: other')]);
  expect(faults.map((f) => [f.line, f.col, f.message])).toEqual([
    [3, 4, 'a: x.go:3:4: index out of range'],
    [5, 0, 'd: x.go:5: other'],
  ]);
});

test('values by host are rows with their units', () => {
  const host: TrialHost = {
    host: 'a', state: 'healthy', error: '', ended: false, cost: null,
    values: [
      { key: 'disk/used_percent', labels: { mount: '/' }, value: 12.345 },
      { key: 'disk/reads_total', labels: {}, value: 1_200_000 },
      { key: 'answer', labels: {}, value: 42 },
    ],
  };
  expect(valueRows([host, { ...host, host: 'b', values: [] }]).map((r) => [r.host, r.name, r.text])).toEqual([
    ['a', 'disk/used_percent{mount="/"}', '12.3 %'],
    ['a', 'disk/reads_total', '1.2 M'],
    ['a', 'answer', '42'],
  ]);
});
