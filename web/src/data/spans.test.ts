import { expect, test } from 'vitest';
import { Spans } from './spans.ts';

test('the newest missing part comes first, until all is known', () => {
  const s = new Spans();
  expect(s.missing(0, 100, 1)).toEqual([0, 100]);
  s.add(40, 60);
  expect(s.missing(0, 100, 1)).toEqual([60, 100]);
  s.add(60, 110);
  expect(s.missing(0, 100, 1)).toEqual([0, 40]);
  s.add(-5, 45);
  expect(s.missing(0, 100, 1)).toBeNull();
});

test('parts that are too short are passed over, not those behind them', () => {
  const s = new Spans();
  s.add(50, 99);
  expect(s.missing(0, 100, 5)).toEqual([0, 50]);
  expect(s.missing(48, 100, 5)).toBeNull();
});

test('a span that has no length is none, wherever it lies', () => {
  const s = new Spans();
  s.add(10, 5);
  s.add(NaN, 5);
  expect(s.missing(5, 10, 1)).toEqual([5, 10]);
  s.add(0, 100);
  expect(s.missing(200, 150, 1)).toBeNull();
  expect(s.missing(-50, -60, 1)).toBeNull();
});

test('spans agree with a list of every millisecond', () => {
  let seed = 5;
  const random = (n: number): number => (seed = (seed * 48271) % 2147483647) % n;
  for (let round = 0; round < 200; round++) {
    const s = new Spans();
    const known = new Array(100).fill(false);
    for (let i = 0; i < 6; i++) {
      const from = random(99);
      const to = Math.min(99, from + random(20));
      s.add(from, to);
      known.fill(true, from, to); // half open: edges belong to both sides
      const gap = s.missing(0, 99, 1);
      let end = 98;
      while (end >= 0 && known[end]) end--;
      let begin = end;
      while (begin > 0 && !known[begin - 1]) begin--;
      expect(gap).toEqual(end < 0 ? null : [begin, end + 1]);
    }
  }
});
