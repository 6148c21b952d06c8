import { expect, test } from 'vitest';
import { trendPath } from './panel.tsx';

test('a trend fills its box, from the first to the last', () => {
  expect(trendPath([[10, '1'], [20, '3'], [30, 'NaN'], [40, '2']])).toBe('M0.0 19.0L33.3 1.0L100.0 10.0');
  expect(trendPath([[10, '1'], [20, '1']])).toBe('M0.0 10.0L100.0 10.0');
  expect(trendPath([[10, '1']])).toBe('');
});
