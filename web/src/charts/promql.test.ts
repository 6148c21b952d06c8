import { expect, test } from 'vitest';
import type { Series } from '../data/store.ts';
import { metricName, queriesOf } from './promql.ts';

const series = (key: string, rate: boolean, step = 1000): Series => ({ key, rate, track: { step: () => step } }) as unknown as Series;
const chart = (host: string, ...list: Series[]) => ({ host: { name: host }, series: list });

test('keys are named as the master stores them', () => {
  expect(['load/average-1', '1st', '', 'a.b:c', 'é'].map(metricName)).toEqual(['load_average_1', '_1st', '_', 'a_b_c', '__']);
});

test('a chart is one query for each of its two kinds', () => {
  expect(queriesOf(chart('web-1', series('load/average-1', false)))).toEqual(['load_average_1{host="web-1"}']);
  expect(queriesOf(chart('*', series('load/average-1', false)))).toEqual(['load_average_1']);
  expect(queriesOf(chart('a', series('n/rx_bytes_total', true), series('n/tx_bytes_total', true, 60_000), series('n/x', false), series('n/x', false)))).toEqual([
    'n_x{host="a"}',
    'rate({__name__=~"n_rx_bytes_total|n_tx_bytes_total", host="a"}[4m])',
  ]);
  expect(queriesOf(chart('a'))).toEqual([]);
});
