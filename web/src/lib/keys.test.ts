import { expect, test } from 'vitest';
import { Keys, writesInto } from './keys.ts';

const press = (key: string, more = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, ...more });

test('keys are commands', () => {
  const keys = new Keys();
  expect(keys.read(press('/'), false, 0)).toEqual({ kind: 'search' });
  expect(keys.read(press('?'), false, 0)).toEqual({ kind: 'help' });
  expect(keys.read(press('x'), false, 0)).toBeNull();
  expect(keys.read(press('k', { ctrlKey: true }), false, 0)).toEqual({ kind: 'palette' });
  expect(keys.read(press('K', { metaKey: true }), true, 0)).toEqual({ kind: 'palette' });
});

test('g and a letter jump, when they come together', () => {
  const keys = new Keys();
  keys.read(press('g'), false, 0);
  expect(keys.read(press('h'), false, 500)).toEqual({ kind: 'jump', key: 'h' });
  expect(keys.read(press('h'), false, 600)).toBeNull();
  keys.read(press('g'), false, 1_000);
  expect(keys.read(press('h'), false, 9_000)).toBeNull();
});

test('who writes is not disturbed', () => {
  const keys = new Keys();
  for (const key of ['/', '?', 'g', 'h', '-', 'l']) expect(keys.read(press(key), true, 0)).toBeNull();
  expect(keys.read(press('l', { ctrlKey: true }), false, 0)).toBeNull();
  const field = document.createElement('input');
  expect([writesInto(field), writesInto(document.body), writesInto(null)]).toEqual([true, false, false]);
});
