import { describe, expect, test } from 'vitest';
import type { Series } from '../data/store.ts';
import { Budget, Track } from '../data/track.ts';
import { buildEnvelope } from './envelope.ts';

type Points = [seconds: number, value: number][];

const budget = new Budget(1e7);
const track = (points: Points): Track => {
  const t = new Track(budget, 1e9);
  for (const [s, v] of points) t.push(s * 1000, v);
  return t;
};

/** A line of samples of the past, and of those that came live. */
function line(past: Points, live: Points, rate = false): Series {
  const key = 'a/b';
  const base = { id: key, key, item: 'b', labels: {}, words: 'b', values: '', kind: undefined, rate, dropped: false };
  return { ...base, past: past.length > 0 ? track(past) : null, means: null, track: track(live) };
}

/** What the master keeps of samples: the lowest and the highest of each column, with their times. */
function thinned(points: Points, width: number): Points {
  const columns = new Map<number, Points>();
  for (const p of points) {
    const n = Math.floor(p[0] / width);
    columns.set(n, [...(columns.get(n) ?? []), p]);
  }
  return [...columns.values()].flatMap((c) => {
    const low = c.reduce((a, b) => (b[1] < a[1] ? b : a));
    const high = c.reduce((a, b) => (b[1] > a[1] ? b : a));
    return low === high ? [low] : [low, high].sort((a, b) => a[0] - b[0]);
  });
}

const frameOf = (s: Series, from: number, to: number) => buildEnvelope([s], from * 1000, to * 1000, 0, 10_000);

describe('a gauge', () => {
  test('is the lowest and the highest of each column', () => {
    const f = frameOf(line([[100, 1], [104, 9], [111, 4], [119, 2]], []), 100, 119);
    expect(f.times).toEqual([95, 105, 115]);
    expect(f.columns[0]).toEqual([null, 9, 4]);
    expect(f.lows![0]).toEqual([null, 1, 2]);
  });

  test('is the same thinned and whole, and half and half', () => {
    const all: Points = Array.from({ length: 300 }, (_, i) => [1000 + i, (i * 7919) % 101]);
    const whole = frameOf(line([], all), 1000, 1299);
    const seam = 170;
    const half = line(thinned(all.slice(0, seam), 10), all.slice(seam - 25));
    const joined = frameOf(half, 1000, 1299);
    expect(joined.columns).toEqual(whole.columns);
    expect(joined.lows).toEqual(whole.lows);
    const { columns, lows } = frameOf(line(thinned(all, 10), []), 1000, 1299);
    expect({ columns, lows }).toEqual({ columns: whole.columns, lows: whole.lows });
  });

  test('has a gap where it paused, and none where it is only slow', () => {
    const f = frameOf(line([[100, 1], [110, 1], [150, 1], [160, 1]], []), 100, 169);
    expect(f.columns[0]).toEqual([null, 1, 1, null, null, null, 1, 1]);
    const slow = frameOf(line([[100, 1], [140, 2], [180, 3]], []), 100, 189);
    expect(slow.columns[0].slice(1)).toEqual([1, undefined, undefined, undefined, 2, undefined, undefined, undefined, 3]);
    expect(slow.lonely).toEqual([[]]);
  });

  test('marks columns that nothing joins', () => {
    const f = frameOf(line([[80, 1], [90, 1], [100, 1], [110, 1], [150, 1], [200, 1], [210, 1], [220, 1]], []), 80, 229);
    expect(f.lonely[0].map((r) => f.times[r])).toEqual([155]);
  });
});

describe('a counter', () => {
  const counted = (n: number): Points => {
    let total = 1e6;
    return Array.from({ length: n }, (_, i): [number, number] => [1000 + i, (total += 1 + ((i * 31) % 17))]);
  };

  test('grows as much thinned as whole, over the seam too', () => {
    const all = counted(300);
    const whole = frameOf(line([], all, true), 1020, 1299);
    const sum = (f: typeof whole): number => f.columns[0].reduce<number>((n, v) => n + (v ?? 0) * 10, 0);
    const joined = frameOf(line(thinned(all.slice(0, 170), 10), all.slice(150), true), 1020, 1299);
    joined.columns[0].forEach((v, i) => expect(v).toBeCloseTo(whole.columns[0][i]!, 9));
    expect(joined.lows).toBeUndefined();
    expect(sum(whole)).toBeCloseTo(all[299][1] - all[9][1], 6);
  });

  test('that rests at times grows as much in the end', () => {
    const all: Points = Array.from({ length: 200 }, (_, i) => [1000 + i, 50 * Math.floor(i / 25)]);
    const f = frameOf(line(thinned(all.slice(0, 190), 10), all.slice(180), true), 1010, 1199);
    const sum = f.columns[0].reduce<number>((n, v) => n + (v ?? 0) * 10, 0);
    expect(sum).toBeCloseTo(350, 6);
    expect(f.columns[0].filter((v) => v)).toEqual([5, 5, 5, 5, 5, 5, 5]);
  });

  test('that starts again counts from zero, and nothing falls', () => {
    const f = frameOf(line(thinned([[1000, 500], [1005, 550], [1010, 600], [1013, 4], [1015, 8], [1020, 18]], 10), [], true), 1000, 1029);
    const rates = f.columns[0].filter((v) => typeof v === 'number');
    expect(rates.every((v) => v >= 0 && v <= 20)).toBe(true);
  });

  test('has no rate over a gap', () => {
    const f = frameOf(line([[1000, 1], [1010, 2], [1100, 5000], [1110, 5010]], [], true), 1000, 1119);
    expect(f.columns[0].filter((v) => typeof v === 'number')).toEqual([0.1, 1]);
    expect(f.columns[0]).toContain(null);
  });
});

test('columns stand still while time goes on', () => {
  const s = line([], Array.from({ length: 100 }, (_, i): [number, number] => [1000 + i, i % 13]));
  const now = frameOf(s, 1020, 1080);
  const later = frameOf(s, 1025, 1085);
  expect(later.columns[0].slice(0, 5)).toEqual(now.columns[0].slice(0, 5));
  expect(later.times.slice(0, 5)).toEqual(now.times.slice(0, 5));
});

test('the clock of a host moves its columns, not its values', () => {
  const s = line([[100, 1], [110, 2]], []);
  const f = buildEnvelope([s], 100_000, 119_000, 60_000, 10_000);
  expect(f.times).toEqual([155, 165, 175]);
  expect(f.columns[0]).toEqual([null, 1, 2]);
});

/** Samples by the column of 10 s that they are in. */
function byColumn(points: Points): Map<number, Points> {
  const columns = new Map<number, Points>();
  for (const p of points) {
    const begin = Math.floor(p[0] / 10) * 10;
    columns.set(begin, [...(columns.get(begin) ?? []), p]);
  }
  return columns;
}

describe('the line within a band', () => {
  test('is the mean of all samples of a column, wherever they are', () => {
    let state = 21;
    const random = (): number => (state = (state * 16807) % 2147483647) / 2147483647;
    for (let round = 0; round < 100; round++) {
      const points: Points = [];
      for (let s = 1000; s < 1400; s += random() < 0.02 ? 45 : 1) points.push([s, random() * 100 - 30]);
      // The past comes thinned with the means of its columns, and ends where it was asked; the rest came live.
      const seam = 1000 + 10 * Math.floor(random() * 40);
      const past = points.filter(([s]) => s < seam);
      const live = points.filter(([s]) => s >= seam - 10);
      const s = line(thinned(past, 10), live);
      const columns = byColumn(past);
      s.means = track([...columns].map(([t, list]) => [t, list.reduce((a, [, v]) => a + v, 0) / list.length]));
      const frame = frameOf(s, 1000, 1400);
      const want = byColumn(points);
      frame.times.forEach((_, i) => {
        const begin = (Math.floor(1000 / 10) - 1 + i) * 10;
        const list = want.get(begin);
        const got = frame.middles![0][i];
        if (!list) return expect(typeof got).not.toBe('number');
        expect(got).toBeCloseTo(list.reduce((a, [, v]) => a + v, 0) / list.length, 6);
      });
    }
  });

  test('is half way where nobody knows more', () => {
    expect(frameOf(line([[100, 1], [104, 9]], []), 100, 109).middles![0][1]).toBe(5);
  });
});
