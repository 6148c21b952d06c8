import { expect, test } from 'vitest';
import { mostDrawn, type Results } from '../data/queries.ts';
import { said } from './explore.tsx';

const found = (lines: number, unit: string, rows = 0): Results => ({ lines: Array(lines), rows: Array(rows), drawn: { unit } }) as unknown as Results;

test('what was found, in words', () => {
  expect(said(null, true, 'chart')).toBe('Asking.');
  expect(said(null, false, 'chart')).toBe('');
  expect(said(found(3, 'percent'), false, 'chart')).toBe('3 series, %');
  expect(said(found(0, 'percent'), false, 'chart')).toBe('0 series');
  expect(said(found(0, 'percent', 9), false, 'table')).toBe('9 series');
  expect(said(found(mostDrawn + 1, ''), false, 'chart')).toBe(`${mostDrawn + 1} series; the ${mostDrawn} largest are drawn, CSV has all`);
});
