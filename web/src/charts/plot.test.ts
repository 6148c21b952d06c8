import { expect, test } from 'vitest';
import type { Unit } from '../lib/units.ts';
import { range } from './plot.ts';

test.each<[number | null, number | null, Unit, [number, number]]>([
  [null, null, 'percent', [0, 10]],
  [1, 3, 'percent', [0, 10]],
  [20, 62, 'percent', [0, 80]],
  [96, 98.5, 'percent', [0, 100]],
  [100, 240, 'percent', [0, 300]],
  [0, 0, '', [0, 1]],
  [0.2, 2.3, '', [0, 3]],
  [0, 900, 'bytes', [0, 1024]],
  [0, 16 * 2 ** 30, 'bytes', [0, 16 * 2 ** 30]],
  [-3, 5, '', [-4, 6]],
])('%s to %s %s has the axis %j', (min, max, unit, want) => {
  expect(range(min, max, unit)).toEqual(want);
});
