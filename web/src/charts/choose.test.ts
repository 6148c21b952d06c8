import { expect, test } from 'vitest';
import { moreText, mostLines, slotsOf } from './choose.ts';

const small = { large: false, expanded: false, long: false };

test('a chart draws as many lines as it has room for', () => {
  expect(mostLines(small)).toBe(6);
  expect(mostLines({ ...small, long: true })).toBe(5);
  expect(mostLines({ ...small, large: true })).toBe(12);
  expect(mostLines({ ...small, expanded: true })).toBe(200);
});

test('the button says what is left out, and takes it back', () => {
  expect(moreText(40, 6, small)).toBe('+34 more');
  expect(moreText(6, 6, small)).toBe('');
  expect(moreText(40, 40, { ...small, expanded: true })).toBe('fewer');
  expect(moreText(6, 6, { ...small, expanded: true })).toBe('');
});

test('lines keep their colours while they are drawn, and no two share one', () => {
  let slots = new Map<string, number>();
  for (let i = 0; i < 500; i++) {
    const ids = Array.from({ length: 20 }, (_, n) => `line-${n}`).filter(() => Math.random() < 0.4);
    const before = slots;
    slots = slotsOf(before, ids);
    expect(new Set(slots.values()).size).toBe(ids.length);
    for (const id of ids) {
      expect(slots.get(id)).toBeLessThan(20);
      if (before.has(id)) expect(slots.get(id)).toBe(before.get(id));
    }
  }
});
