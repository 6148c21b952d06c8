import { expect, test } from 'vitest';
import { countText } from './hosts.tsx';

test.each([
  [300, 0, 0, '300 up'],
  [299, 2, 1, '299 up, 2 of them with problems, 1 gone'],
  [1, 1, 0, '1 up, with problems'],
  [0, 0, 4, '0 up, 4 gone'],
])('%i up, %i sick and %i gone', (up, sick, gone, want) => {
  expect(countText(up, sick, gone)).toBe(want);
});
