import { expect, test } from 'vitest';
import { bandOf, heatOf, only, quantile, queryFor, shade, titleOf } from './compare.ts';
import type { Found } from './prom.ts';

const found = (host: string, points: [number, string][]): Found => ({ metric: { host }, points });

test('a key is asked for as one value a host', () => {
  expect(queryFor('load/average-1', ['a', 'b.c'])).toBe('max by (host) (load_average_1{key="load/average-1", host=~"a|b\\\\.c"})');
  expect(queryFor('network/receive_bytes_total', ['a'])).toBe('sum by (host) (rate(network_receive_bytes_total{key="network/receive_bytes_total", host=~"a"}[1m]))');
  expect(queryFor('x/y', Array.from({ length: 61 }, (_, i) => `h${i}`))).toBe('max by (host) (x_y{key="x/y"})');
  expect(titleOf('network/receive_bytes_total')).toEqual({ title: 'network/receive_bytes_total, per second', unit: 'bytes/s' });
  expect(only([found('a', []), found('b', [])], new Set(['b'])).map((f) => f.metric.host)).toEqual(['b']);
});

test('a heat map has every value in its place, whatever is missing', () => {
  let state = 3;
  const random = (): number => (state = (state * 16807) % 2147483647) / 2147483647;
  for (let i = 0; i < 100; i++) {
    const step = 1000 * (1 + Math.floor(random() * 30));
    const start = step * Math.floor(random() * 1e5);
    const count = 1 + Math.floor(random() * 40);
    const list = Array.from({ length: 1 + Math.floor(random() * 30) }, (_, h) => {
      const points: [number, string][] = [];
      for (let n = 0; n < count; n++) if (random() < 0.7) points.push([(start + n * step) / 1000, random() < 0.1 ? 'NaN' : String(random() * 10 - 2)]);
      return found(`h${h}`, points);
    });
    const heat = heatOf(list, start, start + (count - 1) * step, step, 0);
    expect(heat.times.length).toBe(count);
    for (const row of heat.rows) {
      const told = list.find((f) => f.metric.host === row.host)!.points.filter(([, v]) => v !== 'NaN');
      expect([...row.values].filter((v) => !Number.isNaN(v))).toEqual(told.map(([, v]) => Number(v)));
      for (const v of row.values) if (!Number.isNaN(v)) expect(v >= heat.low && v <= heat.high && shade(v, heat.low, heat.high) >= 0 && shade(v, heat.low, heat.high) <= 1).toBe(true);
    }
    for (let r = 1; r < heat.rows.length; r++) if (!Number.isNaN(heat.rows[r].mean)) expect(heat.rows[r - 1].mean).toBeGreaterThanOrEqual(heat.rows[r].mean);
    const band = bandOf(heat);
    band.times.forEach((_, t) => {
      const [low, middle, high] = [band.lows![0][t], band.middles![0][t], band.columns[0][t]];
      if (typeof low === 'number') expect(low <= middle! && middle! <= high!).toBe(true);
      else expect([middle, high]).toEqual([null, null]);
    });
  }
});

test('a quantile lies between its neighbours', () => {
  expect([quantile([1, 2, 3, 4], 0.5), quantile([5], 0.9), quantile([1, 3], 0.25)]).toEqual([2.5, 5, 1.5]);
  expect(quantile([], 0.5)).toBeNaN();
});
