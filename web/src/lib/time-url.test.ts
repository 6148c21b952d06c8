import { expect, test } from 'vitest';
import { longest, pausedOf, rangeOf, shortest, windowOf, windowText, withTime } from './time-url.ts';

test.each([
  ['?window=15m', 900_000],
  ['?x=1&window=6h', 21_600_000],
  ['?window=30d', 2_592_000_000],
  ['', 0],
  ['?window=', 0],
  ['?window=6', 0],
  ['?window=-6h', 0],
  ['?window=99999h', 0],
  ['?window=6h%20', 0],
])('%s is a window of %i ms', (query, ms) => {
  expect(windowOf(query)).toBe(ms);
});

test.each([
  [60_000, '1m'],
  [15 * 60_000, '15m'],
  [3_600_000, '1h'],
  [86_400_000, '24h'],
  [7 * 86_400_000, '7d'],
])('%i ms are %s', (ms, text) => {
  expect(windowText(ms)).toBe(text);
  expect(windowOf(`?window=${text}`)).toBe(ms);
});

test('a range comes back as it was, whatever it is', () => {
  for (let i = 0; i < 500; i++) {
    const from = Math.floor(Math.random() * 2e12);
    const range = { from, to: from + shortest + Math.floor(Math.random() * (longest - shortest)) };
    const query = withTime('?q=role%3Ddb&window=5m', 0, range);
    expect(rangeOf(query)).toEqual(range);
    expect(new URLSearchParams(query).get('q')).toBe('role=db');
    expect(windowOf(query)).toBe(0);
  }
});

test('a pause comes back as it was, and none that is to come', () => {
  const now = Date.parse('2026-11-30T12:00:00Z');
  for (let i = 0; i < 200; i++) {
    const at = now - Math.floor(Math.random() * longest);
    expect(pausedOf(withTime('?q=x', 300_000, null, at), now)).toBe(at);
  }
  const range = { from: now - 60_000, to: now };
  expect(pausedOf(withTime('', 0, range, now), now)).toBeNull();
  for (const q of ['', '?at=', '?at=x', '?at=2026-11-30T12:00:01Z', '?at=1971-01-01T00:00:00Z']) expect(pausedOf(q, now), q).toBeNull();
  expect(withTime('?at=2026-11-30T11:00:00Z&q=x', 0, null)).toBe('?q=x');
});

test('an address that names no time that can be shown names none', () => {
  const t = '2026-11-30T03:10:00Z';
  for (const q of ['', '?from=x&to=y', `?from=${t}`, `?from=${t}&to=${t}`, `?to=${t}&from=2027-11-30T03:10:00Z`, `?from=1970-01-01T00:00:00Z&to=${t}`]) {
    expect(rangeOf(q), q).toBeNull();
  }
  expect(withTime('?q=x', 0, null)).toBe('?q=x');
  expect(withTime('', 0, null)).toBe('');
});
