import { expect, test } from 'vitest';
import { statsText } from './stats.ts';

test('the values of a line are summed up', () => {
  const frame = { times: [1, 2, 3, 4], columns: [[1, null, 4, undefined], [7]], lonely: [] };
  expect(statsText(frame, 0, 'percent')).toBe('min 1 % · mean 2.5 % · max 4 % · last 4 %');
  expect(statsText(frame, 1, 'percent')).toBe('7 %');
  expect(statsText(frame, 2, 'percent')).toBe('–');
});
