import type uPlot from 'uplot';
import { expect, test } from 'vitest';
import { Budget, Track } from '../data/track.ts';
import type { Chart, Series } from '../data/store.ts';
import { isStates, piecesOf, stripHeight, stripShape } from './strip.ts';

function chartOf(lines: [key: string, values: number[]][], unit: Chart['unit'] = ''): Pick<Chart, 'unit' | 'series'> {
  const series = lines.map(([key, values]) => {
    const track = new Track(new Budget(1e6), 1e9);
    values.forEach((v, i) => track.push(1000 * (i + 1), v));
    return { id: key, key, item: key, labels: {}, words: key, values: '', kind: 'gauge', rate: false, past: null, means: null, dropped: false, track } as Series;
  });
  return { unit, series };
}

test('values that are only ever 0 and 1 are states: at once by their name, or seen for a while', () => {
  expect(isStates(chartOf([['http/up', [1]]]))).toBe(true);
  expect(isStates(chartOf([['door/open', [1]]]))).toBe(false);
  expect(isStates(chartOf([['door/open', [1, 0, 0, 1, 1]]]))).toBe(true);
  expect(isStates(chartOf([['http/up', [1, 2]]]))).toBe(false);
  expect(isStates(chartOf([['http/up', [1]], ['http/load', [0.5]]]))).toBe(false);
  expect(isStates(chartOf([['http/up', [1]]], 'count'))).toBe(false);
  expect(isStates(chartOf([]))).toBe(false);
});

test('a value holds until the next, and a gap stays a gap', () => {
  expect(piecesOf([1, 2, 3, 4, 5], [1, 1, 0, null, 1], 100)).toEqual([
    { from: 1, to: 3, value: 1 },
    { from: 3, to: 4, value: 0 },
    { from: 5, to: 6, value: 1 },
  ]);
  expect(piecesOf([1, 2, 3], [undefined, 1, undefined], 3)).toEqual([{ from: 2, to: 3, value: 1 }]);
  expect(piecesOf([], [], 3)).toEqual([]);
});

test('pieces are in order, apart, and each sample lies in one of its value', () => {
  for (let n = 0; n < 300; n++) {
    const times = Array.from({ length: 1 + Math.floor(Math.random() * 40) }, (_, i) => i + Math.random() / 2);
    const column = times.map(() => [0, 1, null, undefined][Math.floor(Math.random() * 4)]);
    const pieces = piecesOf(times, column, 1000);
    pieces.forEach((p, i) => expect(p.from <= p.to && (i === 0 || pieces[i - 1].to <= p.from)).toBe(true));
    column.forEach((v, i) => {
      if (typeof v === 'number') expect(pieces.some((p) => p.from <= times[i] && times[i] <= p.to && p.value === v)).toBe(true);
    });
  }
});

test('a strip has a row for each line, and no axis of values', () => {
  const lines = [0, 1, 2].map((slot) => ({ slot, shown: true }));
  const before = { width: 1, height: 1, axes: [{}, { grid: { show: true } }], series: [{}, {}, {}, {}] } as unknown as uPlot.Options;
  const shaped = stripShape(before, lines);
  expect(shaped.scales!.y.range).toEqual([0, 3]);
  expect(shaped.series.slice(1).every((s) => s.paths !== undefined)).toBe(true);
  expect(before.series[1].paths).toBeUndefined();
  expect(stripHeight(3)).toBeGreaterThan(stripHeight(2));
});
