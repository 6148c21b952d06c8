import { expect, test } from 'vitest';
import { hiddenAfter } from './choose.ts';

const all = ['a', 'b', 'c'];

test('a line is hidden, and shown again', () => {
  expect(hiddenAfter(all, new Set(), 'b', false)).toEqual(new Set(['b']));
  expect(hiddenAfter(all, new Set(['b', 'x']), 'b', false)).toEqual(new Set(['x']));
});

test('solo shows one alone, and all when it is alone already', () => {
  expect(hiddenAfter(all, new Set(), 'b', true)).toEqual(new Set(['a', 'c']));
  expect(hiddenAfter(all, new Set(['a', 'c']), 'b', true)).toEqual(new Set());
  expect(hiddenAfter(all, new Set(['b']), 'b', true)).toEqual(new Set(['a', 'c']));
});

test('whatever is pressed, twice the same leads back, and solo never hides all', () => {
  let state = 3;
  const random = (n: number): number => (state = (state * 16807) % 2147483647) % n;
  let hidden: ReadonlySet<string> = new Set();
  for (let i = 0; i < 300; i++) {
    const line = all[random(3)];
    const next = hiddenAfter(all, hidden, line, false);
    expect(hiddenAfter(all, next, line, false)).toEqual(new Set(hidden));
    const solo = hiddenAfter(all, hidden, line, true);
    expect(all.some((l) => !solo.has(l))).toBe(true);
    hidden = random(2) ? next : solo;
  }
});
