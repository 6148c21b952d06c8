import { expect, test } from 'vitest';
import { cellAt, mixed } from './heat-map.ts';

test('a place is the cell that is drawn there', () => {
  expect(cellAt(0, 0, 100, 50, 10, 5)).toEqual([0, 0]);
  expect(cellAt(99.9, 49.9, 100, 50, 10, 5)).toEqual([4, 9]);
  expect([cellAt(100, 0, 100, 50, 10, 5), cellAt(-1, 0, 100, 50, 10, 5), cellAt(0, 50, 100, 50, 10, 5)]).toEqual([null, null, null]);
});

test('colours are mixed', () => {
  expect(mixed([0, 100, 255], [255, 0, 255], 0.5)).toEqual([128, 50, 255]);
  expect(mixed([1, 2, 3], [4, 5, 6], 0)).toEqual([1, 2, 3]);
});
