import { expect, test } from 'vitest';
import type { Column, Frame } from './frame.ts';
import { plotColumns } from './drawing.ts';

test('samples are drawn as they are', () => {
  const frame: Frame = { times: [1, 2], columns: [[1, 2]], lonely: [[]] };
  expect(plotColumns(frame, false)).toBe(frame.columns);
});

test('a band has its line in the middle, and gaps stay gaps', () => {
  const frame: Frame = { times: [1, 2, 3, 4], columns: [[4, null, undefined, 9]], lows: [[2, null, undefined, 9]], lonely: [[]] };
  expect(plotColumns(frame, true)).toEqual([[3, null, undefined, 9], [4, null, undefined, 9], [2, null, undefined, 9]]);
});

test('a counter among gauges is a line and no band', () => {
  const frame: Frame = { times: [1, 2], columns: [[4, 6], [8, 8]], lows: [[2, 2], new Array(2)], lonely: [[], []] };
  expect(plotColumns(frame, true)).toEqual([[3, 4], [8, 8], [4, 6], [8, 8], [2, 2], [8, 8]]);
});

test('the line lies between its edges, whatever comes', () => {
  for (let i = 0; i < 300; i++) {
    const column = (): Column => Array.from({ length: 20 }, () => (Math.random() < 0.2 ? null : Math.random() < 0.2 ? undefined : Math.random() * 100));
    const high = column();
    const low = high.map((v) => (typeof v === 'number' ? v * Math.random() : v));
    const [mid, top, bottom] = plotColumns({ times: [], columns: [high], lows: [low], lonely: [[]] }, true);
    mid.forEach((v, r) => {
      if (typeof v !== 'number') return expect(v).toBe(high[r]);
      expect(v).toBeLessThanOrEqual(top[r] as number);
      return expect(v).toBeGreaterThanOrEqual(bottom[r] as number);
    });
  }
});
