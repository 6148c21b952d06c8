import { expect, test } from 'vitest';
import type { Column, Frame } from './frame.ts';
import { Summary, sumsOf, trendText } from './stats.ts';

const cells = (...of: Parameters<Summary['cells']>): string[] => new Summary(() => false).cells(...of);

test('a legend with columns has the sums, and at the crosshair the value there', () => {
  const frame = { times: [1, 2, 3], columns: [[1, null, 4]], lonely: [[]] };
  expect(cells(frame, 0, 'percent', null, '4 %')).toEqual(['1 %', '2.5 %', '4 %', '4 %']);
  expect(cells(frame, 0, 'percent', 0, '1 %')).toEqual(['1 %', '2.5 %', '4 %', '1 %']);
  expect(cells(frame, 1, 'percent', null, '–')).toEqual(['–', '–', '–', '–']);
});

test('where a point stands for many samples, their lowest and highest count', () => {
  const frame: Frame = { times: [1, 2], columns: [[8, 6]], lows: [[2, 5]], middles: [[3, 6]], lonely: [[]] };
  expect(cells(frame, 0, '', null, 'x')).toEqual(['2', '4.5', '8', '6']);
  expect(cells(frame, 0, '', 0, 'x')).toEqual(['2', '3', '8', '3']);
});

test('the mean lies between the lowest and the highest, whatever comes', () => {
  for (let i = 0; i < 300; i++) {
    const low: Column = Array.from({ length: 1 + Math.floor(Math.random() * 30) }, () => (Math.random() < 0.3 ? null : Math.random() * 1e9 - 5e8));
    const high = low.map((v) => (typeof v === 'number' ? v + Math.random() * 10 ** (i % 9) : v));
    const sums = sumsOf({ times: [], columns: [high], ...(i % 2 ? { lows: [low] } : {}), lonely: [] }, 0);
    if (low.every((v) => v === null)) expect(sums).toBeNull();
    else expect(sums!.min <= sums!.mean + 1e-6 && sums!.mean <= sums!.max + 1e-6).toBe(true);
  }
});

test.each<[string, (i: number) => number, string]>([
  ['rises', (i) => 100 + i, '↗ 73 %'],
  ['falls', (i) => 200 - i, '↘ 42 %'],
  ['rests', () => 7, 'steady'],
  ['is zero', () => 0, 'steady'],
  ['begins at zero', (i) => (i < 50 ? 0 : 3), '↗'],
  ['leaps', (i) => (i < 50 ? 1 : 50), '↗ ×50'],
  ['crosses zero', (i) => i - 50, '↗'],
])('a line that %s', (_, at, want) => {
  const column = Array.from({ length: 100 }, (_, i) => at(i));
  expect(trendText({ times: [], columns: [column], lonely: [] }, 0)).toBe(want);
});

test('a few values have no trend', () => {
  expect(trendText({ times: [], columns: [[1, 2, 3]], lonely: [] }, 0)).toBe('');
});

test('a line that is alone has its trend, and a new frame new sums', () => {
  const alone = new Summary(() => true);
  expect(alone.columns).toEqual(['min', 'mean', 'max', 'last', 'trend']);
  const frame = (at: (i: number) => number): Frame => ({ times: [], columns: [Array.from({ length: 20 }, (_, i) => at(i))], lonely: [[]] });
  expect(alone.cells(frame(() => 5), 0, '', null, '5')).toEqual(['5', '5', '5', '5', 'steady']);
  expect(alone.cells(frame((i) => i), 0, '', null, '19')).toEqual(['0', '9.5', '19', '19', '↗ ×12']);
});
