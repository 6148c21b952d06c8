import { effect } from '@preact/signals';
import { describe, expect, test } from 'vitest';
import { Store, horizon, inspectorOf, lineNames } from './store.ts';
import type { Host, Series } from './wire.ts';

const host = (name: string, values: Partial<Host> = {}): Host => ({
  host: name,
  state: 'up',
  since_ms: 0,
  last_seen_ms: 0,
  skew_ms: 0,
  series: 0,
  samples: 0,
  ...values,
});

function filled(series: Omit<Series, 'id'>[], now = () => 10_000): Store {
  const store = new Store(now);
  store.apply({
    subscription: 1,
    series: series.map((s, i) => ({ ...s, id: i + 1 })),
    t: series.map(() => 9_000),
    s: series.map((_, i) => i + 1),
    v: series.map((_, i) => i),
  });
  return store;
}

const titles = (store: Store, name: string): string[] =>
  store.get(name)!.charts.value.map((c) => `${c.name} ${c.unit}`.trim());

describe('charts', () => {
  test('are one for each first segment and unit, in their order', () => {
    const store = filled([
      { host: 'h', key: 'vedette/inspector_success', labels: { inspector: 'cpu' } },
      { host: 'h', key: 'zoo/animals' },
      { host: 'h', key: 'memory/used_bytes' },
      { host: 'h', key: 'swap/used_bytes' },
      { host: 'h', key: 'memory/used_percent' },
      { host: 'h', key: 'memory/percent-free' },
      { host: 'h', key: 'apples' },
      { host: 'h', key: 'load/average-1' },
    ]);
    expect(titles(store, 'h')).toEqual([
      'load',
      'memory percent',
      'memory bytes',
      'apples count',
      'zoo count',
      'swap bytes',
      'vedette',
    ]);
  });

  test('hold lines named by item and labels, what is used first', () => {
    const store = filled([
      { host: 'h', key: 'disk/inodes_used_percent', labels: { mount: '/' } },
      { host: 'h', key: 'disk/used_percent', labels: { mount: '/home', device: 'sda' } },
      { host: 'h', key: 'apples' },
    ]);
    const [disk, apples] = store.get('h')!.charts.value;
    const legend = (c: typeof disk): string[] => [...lineNames(c).names.values()];
    expect(legend(disk)).toEqual(['used sda /home', 'inodes used /']);
    expect(legend(apples)).toEqual(['apples']);
  });

  test('say in their title what all of their lines share', () => {
    const store = filled([
      { host: 'h', key: 'vedette/inspector_success', labels: { inspector: 'cpu' } },
      { host: 'h', key: 'vedette/inspector_success', labels: { inspector: 'disk' } },
    ]);
    const { names, shared } = lineNames(store.get('h')!.charts.value[0]);
    expect([...names.values()]).toEqual(['cpu', 'disk']);
    expect(shared).toBe('inspector success');
  });

  test('are told when a line comes, and only then', () => {
    const store = filled([{ host: 'h', key: 'load/average-1' }]);
    const [chart] = store.get('h')!.charts.value;
    const before = chart.revision.value;
    store.apply({ subscription: 1, t: [9_500], s: [1], v: [2] });
    expect(chart.revision.value).toBe(before);
    expect(chart.series[0].track.length).toBe(2);
    store.apply({ subscription: 1, series: [{ id: 7, host: 'h', key: 'load/average-5' }], t: [9_500], s: [7], v: [1] });
    expect(chart.revision.value).toBe(before + 1);
  });
});

describe('series', () => {
  test('keep their samples when a new connection declares them under other numbers', () => {
    const store = filled([{ host: 'h', key: 'a/b', labels: { x: '1', y: '2' } }]);
    store.restart();
    store.apply({ subscription: 1, t: [9_100], s: [1], v: [5] }); // not declared: not taken
    store.apply({
      subscription: 1,
      series: [{ id: 4, host: 'h', key: 'a/b', labels: { y: '2', x: '1' } }],
      t: [9_200],
      s: [4],
      v: [6],
    });
    const [series] = store.get('h')!.charts.value[0].series;
    expect(Array.from(series.track.values.subarray(series.track.start, series.track.end))).toEqual([0, 6]);
  });

  test('that the history took for another kind are what is reported', () => {
    const store = new Store(() => 10_000);
    store.setHost(host('h'));
    const past = { from_ms: 0, to_ms: 9_000, points: 10, t: [7_000, 8_000], s: [1, 1], v: [1, 2] };
    store.applyPast(store.get('h')!, { ...past, series: [{ id: 1, host: 'h', key: 'a/cycles', kind: 'gauge' }] }, 0, 0);
    expect(titles(store, 'h')).toEqual(['a count']);
    store.apply({ subscription: 1, series: [{ id: 1, host: 'h', key: 'a/cycles', kind: 'counter' }], t: [9_000], s: [1], v: [5] });
    expect(titles(store, 'h')).toEqual(['a /s']);
    const [series] = store.get('h')!.charts.value[0].series;
    expect([series.rate, series.track.length, store.budget.used]).toEqual([true, 3, series.track.times.length]);
    store.applyPast(store.get('h')!, { ...past, series: [{ id: 1, host: 'h', key: 'a/cycles', kind: 'gauge' }] }, 0, 0);
    expect(titles(store, 'h')).toEqual(['a /s']);
  });

  test('that are silent for the horizon go, with their chart, and come back', () => {
    let now = 10_000;
    const store = filled([{ host: 'h', key: 'a/b' }, { host: 'h', key: 'c/d' }], () => now);
    now += horizon;
    store.apply({ subscription: 1, t: [now], s: [2], v: [1] });
    store.sweep();
    expect(titles(store, 'h')).toEqual(['c']);
    store.apply({ subscription: 1, t: [now], s: [1], v: [1] });
    expect(titles(store, 'h')).toEqual(['a', 'c']);
  });

  test('of a host that is gone stay', () => {
    let now = 10_000;
    const store = filled([{ host: 'h', key: 'a/b' }], () => now);
    store.setHost(host('h', { state: 'gone' }));
    now += 10 * horizon;
    store.sweep();
    expect(titles(store, 'h')).toEqual(['a']);
  });
});

describe('hosts', () => {
  test('stand in the order that people count in', () => {
    const store = new Store();
    store.setHosts(['web-10', 'web-2', 'db'].map((n) => host(n)));
    expect(store.hosts.value.map((h) => h.name)).toEqual(['db', 'web-2', 'web-10']);
  });

  test('that come together are told of once', () => {
    const store = new Store();
    const lengths: number[] = [];
    effect(() => void lengths.push(store.hosts.value.length));
    store.setHosts(['web-10', 'web-2', 'db'].map((n) => host(n)));
    const series = ['web-1', 'cache', 'zoo'].map((name, i) => ({ id: i + 1, host: name, key: 'a/b' }));
    store.apply({ subscription: 1, series, t: [1, 1, 1], s: [1, 2, 3], v: [1, 1, 1] });
    expect(lengths).toEqual([0, 3, 6]);
    expect(store.hosts.value.map((h) => h.name)).toEqual(['cache', 'db', 'web-1', 'web-2', 'web-10', 'zoo']);
  });

  test('that a restarted master does not know yet stay with their samples, as gone', () => {
    const store = filled([{ host: 'old', key: 'a/b' }]);
    store.setHost(host('old', { last_seen_ms: 9_000, os: 'linux' }));
    store.setHosts([]);
    const old = store.get('old')!;
    expect(old.info.value).toMatchObject({ state: 'gone', since_ms: 9_000, os: 'linux' });
    expect(old.charts.value[0].series[0].track.length).toBe(1);
    store.setHosts([host('old')]);
    expect(old.gone).toBe(false);
  });

  test('that no master knows any more go when their samples are old', () => {
    let now = 10_000;
    const store = filled([{ host: 'old', key: 'a/b' }, { host: 'h', key: 'a/b' }], () => now);
    store.setHosts([host('h', { state: 'gone' })]);
    store.sweep();
    expect(store.hosts.value.map((h) => h.name)).toEqual(['h', 'old']);
    now += horizon;
    store.sweep();
    expect(store.hosts.value.map((h) => h.name)).toEqual(['h']);
    expect(store.budget.used).toBe(store.get('h')!.byId.get('a/b')!.track.times.length);
  });

  test('are not thought to be slow because the value known of them is old', () => {
    const store = new Store(() => 100_000);
    const series = [{ id: 1, host: 'h', key: 'a/b' }];
    store.apply({ subscription: 1, series, t: [40_000], s: [1], v: [1] });
    expect(store.get('h')!.clock.offset).toBe(0);
    store.apply({ subscription: 1, t: [30_000], s: [1], v: [1] }); // live, and it is
    expect(store.get('h')!.clock.offset).toBe(70_000);
  });

  test('are drawn on their own clock as the master measured it', () => {
    const store = new Store(() => 100_000);
    store.setMasterClock(99_800);
    store.setHost(host('h', { skew_ms: -5_000 }));
    expect(store.get('h')!.clock.offset).toBe(5_200);
  });
});

test('names that try to be more than names are only names', () => {
  const store = filled([
    { host: '__proto__', key: 'constructor/toString', labels: { ['__proto__x']: '<img src=x>' } },
  ]);
  expect(titles(store, '__proto__')).toEqual(['constructor']);
});

test('what runs faster for a while has no pauses before and after', () => {
  const store = filled([
    { host: 'h', key: 'disk/used_percent' },
    { host: 'h', key: 'disk-io/reads_total' },
  ]);
  const inspector = { kind: 'script', revision: '', state: 'ok' as const, since_ms: 0, runs: 0, failures: 0, timeouts: 0, missed: 0, crashes: 0 };
  const tell = (boosted_ms?: number): void =>
    store.setHost(
      host('h', {
        inspectors: [
          { ...inspector, name: 'disk', interval_ms: 5_000, boosted_ms },
          { ...inspector, name: 'disk-io', interval_ms: 1_000 },
        ],
      }),
    );
  const h = store.get('h')!;
  expect(inspectorOf(h, 'disk/used_percent')).toBe(undefined);
  tell(100);
  expect(inspectorOf(h, 'disk/used_percent')!.name).toBe('disk');
  expect(inspectorOf(h, 'disk-io/reads_total')!.name).toBe('disk-io');
  expect(inspectorOf(h, 'dis/k')).toBe(undefined);
  const steps = (): number[] => [...h.byId.values()].map((s) => s.track.step());
  for (let t = 9_100; t < 12_000; t += 100) {
    store.apply({ subscription: 1, t: [t, t], s: [1, 2], v: [1, 1] });
  }
  expect(steps()).toEqual([5_000, 100]);
  tell();
  expect(steps()).toEqual([5_000, 100]);
});
