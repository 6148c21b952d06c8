import { expect, test } from 'vitest';
import { buildFrame } from '../charts/frame.ts';
import { isOf, Lines } from './lines.ts';
import { Store, lineNames } from './store.ts';

test('a chart for each key has a line for each host', () => {
  const main = new Store();
  main.setHost({ host: 'b', state: 'up', since_ms: 0, last_seen_ms: 0, skew_ms: 500, series: 0, samples: 0 });
  const lines = new Lines(main);
  const now = Date.now();
  lines.restart();
  lines.take(
    {
      subscription: 1,
      series: [
        { id: 1, host: 'a', key: 'disk/used_percent', labels: { mount: '/' } },
        { id: 2, host: 'b', key: 'disk/used_percent', labels: { mount: '/' } },
        { id: 3, host: 'b', key: 'disk-io/read_bytes_total', kind: 'counter' },
      ],
      t: [now, now + 500, now],
      s: [1, 2, 3],
      v: [10, 20, 30],
    },
    isOf('disk'),
  );
  const charts = lines.host.charts.value;
  expect(charts.map((c) => c.id)).toEqual(['disk|percent']);
  expect([...lineNames(charts[0]).names.values()]).toEqual(['a /', 'b /']);
  expect(charts[0].series.map((s) => [s.track.lastTime, s.track.lastValue])).toEqual([[now, 10], [now, 20]]);
});

test('the past and what comes live are one line', () => {
  const lines = new Lines(new Store());
  const now = Date.now();
  lines.takePast(
    { from_ms: 0, to_ms: now, points: 10, series: [{ id: 7, host: 'a', key: 'x', kind: 'gauge' }], t: [now - 2000, now - 1000], s: [7, 7], v: [1, 2] },
    isOf('x'), 0, 60_000,
  );
  lines.take({ subscription: 1, series: [{ id: 1, host: 'a', key: 'x', kind: 'gauge' }], t: [now], s: [1], v: [3] }, isOf('x'));
  const [{ track }] = lines.host.charts.value[0].series;
  expect(Array.from(track.values.subarray(track.start, track.end))).toEqual([1, 2, 3]);
});

test('what a history of wide columns leaves out is no gap, and a pause still is', () => {
  const lines = new Lines(new Store());
  // The lowest and the highest of each column of 8 s, but for three columns without any.
  const t = Array.from({ length: 15 }, (_, i) => 8000 * i).filter((_, i) => i < 9 || i > 11).flatMap((at) => [at, at + 2000]);
  const series = [{ id: 7, host: 'a', key: 'x', kind: 'gauge' as const }];
  lines.takePast({ from_ms: 0, to_ms: 119_999, points: 15, series, t, s: t.map(() => 7), v: t }, isOf('x'), 0, 1e9);
  const { columns } = buildFrame([...lines.host.byId.values()], 0, 120_000, 0);
  expect(columns[0].filter((v) => v === null).length).toBe(1);
  expect(columns[0].filter((v) => typeof v === 'number').length).toBe(24);
});

test('keys of an inspector', () => {
  expect(['disk', 'disk/a', 'disk/a/b', 'disk-io/a', 'x/disk'].map(isOf('disk'))).toEqual([true, true, true, false, false]);
});
