import { expect, test } from 'vitest';
import { counts, diff, hunks } from './diff.ts';

const signs = { same: ' ', added: '+', removed: '-' };
const text = (a: string, b: string): string => diff(a, b).map((l) => signs[l.kind] + l.text).join('|');

test('lines come, go and stay', () => {
  expect(text('a\nb\nc\n', 'a\nx\nc\nd\n')).toBe(' a|-b|+x| c|+d');
  expect(text('', 'a\n')).toBe('+a');
  expect(text('a\n', '')).toBe('-a');
  expect(text('a\n', 'a\n')).toBe(' a');
  expect(counts(diff('a\nb', 'b\nc\nd'))).toEqual({ added: 2, removed: 1 });
});

test('whatever the texts: the lines give both of them back, numbered', () => {
  let seed = Date.now() % 100_000;
  const random = (n: number): number => (seed = (seed * 48271 + 11) % 2147483647) % n;
  for (let round = 0; round < 300; round++) {
    const make = (): string[] => Array.from({ length: random(12) }, () => 'abc'[random(3)]);
    const [a, b] = [make(), make()];
    const lines = diff(a.join('\n'), b.join('\n'));
    const before = lines.filter((l) => l.kind !== 'added');
    const after = lines.filter((l) => l.kind !== 'removed');
    expect(before.map((l) => l.text), `${a} ${b}`).toEqual(a);
    expect(after.map((l) => l.text), `${a} ${b}`).toEqual(b);
    expect(before.map((l) => l.before)).toEqual(a.map((_, i) => i + 1));
    expect(after.map((l) => l.after)).toEqual(b.map((_, i) => i + 1));
  }
});

test('hunks leave out what is far from a change', () => {
  const a = Array.from({ length: 20 }, (_, i) => `line ${i}`);
  const b = a.map((l, i) => (i === 10 ? 'other' : l));
  const shown = hunks(diff(a.join('\n'), b.join('\n')), 1);
  expect(shown.map((l) => l && l.text)).toEqual([null, 'line 9', 'line 10', 'other', 'line 11', null]);
  expect(hunks(diff('a', 'a'))).toEqual([]);
});

test('texts that differ in thousands of lines take no square of them', () => {
  const long = (c: string): string => Array.from({ length: 5000 }, (_, i) => c + i).join('\n');
  expect(counts(diff(long('a'), long('b')))).toEqual({ added: 5000, removed: 5000 });
});
