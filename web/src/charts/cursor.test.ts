import { expect, test } from 'vitest';
import { Cursor, rowFor } from './cursor.ts';

test.each([
  ['ArrowLeft', false, 5, 4],
  ['ArrowLeft', false, 0, 0],
  ['ArrowLeft', true, 5, 0],
  ['ArrowRight', false, 5, 6],
  ['ArrowRight', true, 5, 9],
  ['Home', false, 5, 0],
  ['End', false, 5, 9],
  ['Escape', false, 5, null],
  ['a', false, 5, undefined],
])('%s (shift %s) leads from %i to %s', (key, shift, at, to) => {
  expect(rowFor(key, shift, at, 9)).toBe(to);
});

test('keys move the crosshair of the plot, and tell what is there', () => {
  const told: (number | null)[] = [];
  const plot = { cursor: { idx: null as number | null }, valToPos: (v: number) => v, setCursor: (at: { left: number }) => (plot.cursor.idx = at.left < 0 ? null : at.left) };
  const cursor = new Cursor(() => plot as never, () => [0, 1, 2, 3], (row) => told.push(row));
  const box = document.createElement('div');
  cursor.listen(box);
  const press = (key: string): void => void box.dispatchEvent(new KeyboardEvent('keydown', { key }));
  ['End', 'ArrowLeft', 'Home', 'x', 'Escape'].forEach(press);
  expect(told).toEqual([3, 2, 0, null]);
  expect(cursor.row).toBeNull();
});
