import { expect, test } from 'vitest';
import type { Frame } from './frame.ts';
import { lastText, samplingText, short, textAt, timeText } from './values.ts';

const frame: Frame = { times: [1, 2, 3, 4], columns: [[5, undefined, 7, null]], lonely: [[]] };

test('a value at a row is the one that stands there, or the one before', () => {
  expect([0, 1, 2, 3].map((r) => textAt(frame, 0, r, 'percent'))).toEqual(['5 %', '5 %', '7 %', '–']);
  expect(lastText(frame, 0, 'percent')).toBe('7 %');
  expect(lastText({ times: [], columns: [[]], lonely: [] }, 0, '')).toBe('–');
});

test('a band is told from its lowest to its highest', () => {
  const bands: Frame = { times: [1], columns: [[9]], lows: [[1]], lonely: [[]] };
  expect(textAt(bands, 0, 0, '')).toBe('1 – 9');
});

test('that a value is per second stands in the title', () => {
  expect(short('1.2 MiB/s – 3 MiB/s')).toBe('1.2 MiB – 3 MiB');
});

test('what became of samples is said', () => {
  expect([samplingText(0, true), samplingText(10_000, true), samplingText(60_000, false)]).toEqual(['', 'mean, lowest to highest of 10 s', 'average over 1 min']);
});

test('a time of another day has its day', () => {
  const at = new Date(2026, 10, 21, 12, 3, 5).getTime();
  expect(timeText(at / 1000, 0, at)).toBe('12:03:05');
  expect(timeText(at / 1000, 0, at + 86_400_000)).toBe('21 Nov 12:03:05');
  expect(timeText(at / 1000, 10_000, at + 86_400_000)).toBe('21 Nov 12:03');
});
