import { expect, test } from 'vitest';
import type { TrialHost } from '../../data/trial.ts';
import { valueRows } from './try.tsx';

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
