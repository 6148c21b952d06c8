import { expect, test } from 'vitest';
import { placeInText, placeOf, unitsOf } from './places.ts';

test('columns in bytes become units, whatever the characters', () => {
  const line = 'a é€😀 x';
  const bytes = new TextEncoder();
  for (let at = 0; at <= line.length; at++) {
    if (at > 0 && /[\uDC00-\uDFFF]/.test(line[at] ?? '')) continue;
    expect(unitsOf(line, bytes.encode(line.slice(0, at)).length + 1)).toBe(at);
  }
  expect(unitsOf(line, 1000)).toBe(line.length);
});

test('a fault marks the word at its place', () => {
  const text = 'package x\n\nfunc Inspect() { retrun "ä", foo }\n';
  const at = (line: number, col: number): string => {
    const { from, to } = placeOf(text, { line, col });
    return text.slice(from, to);
  };
  expect(at(3, 18)).toBe('retrun');
  expect(at(3, 25)).toBe('"ä"');
  expect(at(3, 31)).toBe('foo');
  expect(at(1, 0)).toBe('package x');
  expect(at(99, 1)).toBe('');
});

test('errors of runs name their place', () => {
  expect(placeInText('disk.go:12:9: no such device')).toEqual({ line: 12, col: 9 });
  expect(placeInText('it failed at x/y.go:3')).toEqual({ line: 3, col: 0 });
  expect(placeInText('no place 12:9')).toBeNull();
});
