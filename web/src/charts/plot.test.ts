import { expect, test } from 'vitest';
import type { Unit } from '../lib/units.ts';
import { range, timeSplits } from './plot.ts';

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

test('any values have an axis of finite length that has them on it', () => {
  for (let i = 0; i < 2_000; i++) {
    const [a, b] = [0, 1].map(() => (Math.random() - 0.5) * 10 ** (Math.random() * 600 - 292)).sort((x, y) => x - y);
    for (const unit of ['', 'percent', 'bytes', 'seconds', '/s'] as const) {
      const [bottom, top] = range(a, b, unit);
      const told = `${a} to ${b} ${unit}: ${bottom} to ${top}`;
      expect(Number.isFinite(top - bottom) && top > bottom, told).toBe(true);
      if (Math.max(-a, b) < 1e300) expect(bottom <= a + (top - bottom) * 1e-6 && top >= b - (top - bottom) * 1e-6, told).toBe(true);
    }
  }
});

test('labels of time stand at round times of day where we are', () => {
  const from = new Date(2024, 10, 21, 22, 10).getTime() / 1000;
  const at = (step: number, hours: number): string[] =>
    timeSplits(from, from + hours * 3600, step).map((t) => new Date(t * 1000).toTimeString().slice(0, 5));
  expect(at(7200, 6)).toEqual(['00:00', '02:00', '04:00']);
  expect(at(1800, 1)).toEqual(['22:30', '23:00']);
  expect(at(14_400, 1)).toEqual([]);
});
