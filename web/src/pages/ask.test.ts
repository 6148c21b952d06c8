import { signal } from '@preact/signals';
import { expect, test } from 'vitest';
import { said } from './ask.tsx';

const asking = (phase: 'idle' | 'asking' | 'done', asked = 0, awaited = 0, silent = 0, rows = 0) =>
  ({ phase: signal(phase), asked: signal(asked), awaited: signal(awaited), silent: signal(Array(silent)), rows: signal(Array(rows)) }) as unknown as Parameters<typeof said>[0];

test('how far a question is, in words', () => {
  expect(said(asking('idle'), 1)).toBe('Runs once, saves nothing. 1 host is known.');
  expect(said(asking('idle'), 12)).toBe('Runs once, saves nothing. 12 hosts are known.');
  expect(said(asking('asking'), 5)).toBe('Asking.');
  expect(said(asking('asking', 5, 2), 5)).toBe('3 of 5 hosts have answered or cannot.');
  expect(said(asking('done', 5, 0, 1, 9), 5)).toBe('4 of 5 hosts answered, 9 values.');
  expect(said(asking('done'), 5)).toBe('');
});
