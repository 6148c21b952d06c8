import { expect, test } from 'vitest';
import { ago, exact } from './time.ts';

const s = 1000;

test.each([
  [-5 * s, 'just now'],
  [4 * s, 'just now'],
  [59 * s, '59 s ago'],
  [60 * s, '1 min ago'],
  [3599 * s, '59 min ago'],
  [47 * 3600 * s, '47 h ago'],
  [50 * 3600 * s, '2 d ago'],
])('%i ms are %s', (age, text) => {
  expect(ago(1e12, 1e12 + age)).toBe(text);
});

test('an exact time has its day and its second', () => {
  expect(exact(new Date(2026, 10, 3, 4, 5, 6).getTime())).toBe('2026-11-03 04:05:06');
});
