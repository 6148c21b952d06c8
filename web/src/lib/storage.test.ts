import { expect, test } from 'vitest';
import { keyOf } from './storage.ts';

test('a key is taken from a fragment, and from nothing like one', () => {
  expect(keyOf('#key=ABCdef-234_')).toBe('ABCdef-234_');
  for (const other of ['', '#', '#key=', '#key', '#other=x', '#key=a b', '#key=<x>', '#xkey=a', '#key=a&b=c', 'key=a']) {
    expect(keyOf(other)).toBe('');
  }
});
