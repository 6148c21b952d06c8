import { expect, test } from 'vitest';
import { hostPath, parse } from './router.ts';

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
