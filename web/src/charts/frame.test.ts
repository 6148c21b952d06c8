import { describe, expect, test } from 'vitest';
import { Budget, Track } from '../data/track.ts';
import type { Series } from '../data/store.ts';
import { buildFrame, latest, topLines } from './frame.ts';

function series(points: [number, number][], options: Partial<Series> = {}): Series {
  const track = new Track(new Budget(1e6), 1e9);
  for (const [t, v] of points) track.push(t, v);
  const key = options.id ?? 'a/b';
  return { id: key, key, item: 'b', labels: {}, words: 'b', values: '', kind: undefined, rate: false, past: null, means: null, dropped: false, ...options, track };
}

const seconds = (...list: number[]): [number, number][] => list.map((s, i) => [s * 1000, i]);

describe('a frame', () => {
  test('has the samples of the window and one before it, on our clock', () => {
    const f = buildFrame([series(seconds(1, 2, 3, 4, 5))], 3_000, 4_000, 60_000);
    expect(f.times).toEqual([62, 63, 64]);
    expect(f.columns).toEqual([[1, 2, 3]]);
    expect(f.lonely).toEqual([[]]);
  });

  test('shows a pause as a gap, on all rows within it', () => {
    const f = buildFrame([series(seconds(1, 2, 3, 4, 9, 10)), series(seconds(1, 2, 3, 4, 5, 6))], 0, 20_000, 0);
    expect(f.times).toEqual([1, 2, 3, 4, 5, 6, 9, 10]);
    expect(f.columns[0]).toEqual([0, 1, 2, 3, null, null, 4, 5]);
    expect(f.columns[1]).toEqual([0, 1, 2, 3, 4, 5, undefined, undefined]);
  });

  test('draws no gap for a missed sample or two', () => {
    const f = buildFrame([series(seconds(1, 2, 3, 4, 6, 7))], 0, 20_000, 0);
    expect(f.columns).toEqual([[0, 1, 2, 3, 4, 5]]);
  });

  test('joins lines of different times without gaps', () => {
    const f = buildFrame([series(seconds(1, 2, 3)), series(seconds(1.5, 2.5))], 0, 10_000, 0);
    expect(f.times).toEqual([1, 1.5, 2, 2.5, 3]);
    expect(f.columns).toEqual([
      [0, undefined, 1, undefined, 2],
      [undefined, 0, undefined, 1, undefined],
    ]);
  });

  test('marks samples that nothing joins', () => {
    expect(buildFrame([series(seconds(5))], 0, 10_000, 0).lonely).toEqual([[0]]);
    const f = buildFrame([series(seconds(1, 2, 3, 10, 17, 18, 19))], 0, 20_000, 0);
    expect(f.lonely[0].map((r) => f.times[r])).toEqual([10]);
  });

  test('of no lines, and of lines with no samples, is empty', () => {
    expect(buildFrame([], 0, 1, 0)).toEqual({ times: [], columns: [], lonely: [] });
    expect(buildFrame([series([])], 0, 1, 0)).toEqual({ times: [], columns: [[]], lonely: [[]] });
  });
});

describe('a counter', () => {
  const rate = (points: [number, number][]): Series => series(points, { rate: true });

  test('is growth per second', () => {
    const f = buildFrame([rate([[0, 100], [1000, 110], [3000, 150]])], 0, 10_000, 0);
    expect(f.times).toEqual([1, 3]);
    expect(f.columns).toEqual([[10, 20]]);
  });

  test('that starts again counts from zero', () => {
    const f = buildFrame([rate([[0, 100], [1000, 110], [2000, 4]])], 0, 10_000, 0);
    expect(f.columns).toEqual([[10, 4]]);
  });

  test('has no rate over a gap', () => {
    const f = buildFrame([rate([[0, 0], [1000, 1], [2000, 2], [3000, 3], [60_000, 1000], [61_000, 1001]])], 0, 99_000, 0);
    expect(f.columns[0].filter((v) => v !== null && v !== undefined)).toEqual([1, 1, 1, 1]);
    expect(f.columns[0]).toContain(null);
  });

  test('has a newest rate, but not of one sample', () => {
    expect(latest(rate([[0, 5], [1000, 8]]))).toEqual({ time: 1000, value: 3 });
    expect(latest(rate([[0, 5]])).value).toBeNaN();
  });
});

describe('the top lines', () => {
  const list = [5, 0, 9, 0, 7].map((v, i) => series([[0, v]], { id: `s${i}` }));

  test('are those of the largest values, in their own order', () => {
    expect(topLines(list, 3, new Set()).map((s) => s.id)).toEqual(['s0', 's2', 's4']);
    expect(topLines(list, 9, new Set())).toEqual(list);
  });

  test('are a list of their own: the series of a chart grow in place', () => {
    expect(topLines(list, 9, new Set())).not.toBe(list);
  });

  test('do not take turns among equals', () => {
    expect(topLines([...list, list[1]], 4, new Set(['s3'])).map((s) => s.id)).toEqual(['s0', 's2', 's3', 's4']);
  });
});

test('lines that share their times are drawn as any others are', () => {
  for (let run = 0; run < 300; run++) {
    const times = Array.from({ length: Math.floor(8 * Math.random()) }, (_, i) => 1000 * (i + 1) + (Math.random() < 0.1 ? 20_000 * i : 0));
    const lines = [0, 1, 2].map((n) => series(times.map((t): [number, number] => [t, n])));
    const together = buildFrame(lines, 0, 1e9, 500);
    // A line with a time more takes the other way; its row and its column are taken out again.
    const other = buildFrame([...lines, series([[1e8, 9]])], 0, 1e9, 500);
    const rows = other.times.map((t, r) => ({ t, r })).filter(({ t }) => t !== (1e8 + 500) / 1000);
    expect(together.times).toEqual(rows.map(({ t }) => t));
    expect(together.columns).toEqual(other.columns.slice(0, 3).map((c) => rows.map(({ r }) => c[r])));
    expect(together.lonely).toEqual(other.lonely.slice(0, 3));
  }
});
