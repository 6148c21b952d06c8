import { expect, test } from 'vitest';
import { hostPath, parse, windowFromURL } from './router.ts';

test.each([
  ['/', { page: 'hosts' }],
  ['/hosts', { page: 'hosts' }],
  ['/hosts/web-1.example.net', { page: 'host', host: 'web-1.example.net' }],
  ['/hosts/a%2Fb/', { page: 'host', host: 'a/b' }],
  ['/hosts/%E0%A4', { page: 'unknown' }],
  ['/hosts/a/b', { page: 'unknown' }],
  ['/elsewhere', { page: 'unknown' }],
])('%s', (path, route) => {
  expect(parse(path)).toEqual(route);
});

test('a path leads back to its host', () => {
  for (const host of ['web-1', 'a/b', '50 %', '<img>']) {
    expect(parse(hostPath(host))).toEqual({ page: 'host', host });
  }
});

test.each([
  ['?window=15m', 900_000],
  ['?x=1&window=6h', 21_600_000],
  ['', 0],
  ['?window=', 0],
  ['?window=6', 0],
  ['?window=-6h', 0],
  ['?window=99999h', 0],
  ['?window=6h%20', 0],
])('%s is a window of %i ms', (search, ms) => {
  expect(windowFromURL(search)).toBe(ms);
});
