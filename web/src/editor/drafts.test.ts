import { beforeEach, expect, test } from 'vitest';
import { draftNames, draftOf, dropDraft, keepDraft } from './drafts.ts';

beforeEach(() => localStorage.clear());

test('a draft stays until it is dropped', () => {
  expect(draftOf('disk')).toBeNull();
  keepDraft('disk', { source: 'package disk', base: 'r1', savedMs: 1 });
  keepDraft('', { source: 'package new', base: '', savedMs: 2 });
  expect(draftOf('disk')).toEqual({ source: 'package disk', base: 'r1', savedMs: 1 });
  expect(draftNames()).toEqual(['', 'disk']);
  dropDraft('disk');
  expect(draftOf('disk')).toBeNull();
  expect(draftNames()).toEqual(['']);
});

test('names of the language are names of drafts', () => {
  expect(draftOf('constructor')).toBeNull();
  expect(draftOf('__proto__')).toBeNull();
});

test('the oldest go when there are many, and nonsense in the storage is no draft', () => {
  for (let i = 0; i < 40; i++) keepDraft(`i${i}`, { source: 'x', base: '', savedMs: i });
  expect(draftNames().length).toBe(30);
  expect(draftNames()[0]).toBe('i39');
  localStorage.setItem('vedette.drafts', '[1,2]');
  expect(draftNames()).toEqual([]);
  localStorage.setItem('vedette.drafts', '{"a":{"source":5}}');
  expect(draftOf('a')).toBeNull();
});
