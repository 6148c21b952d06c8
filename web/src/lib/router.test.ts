import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { at, below, hostPath, match, Router } from './router.ts';

const places = [
  { id: 'now', path: '/' },
  { id: 'hosts', path: '/hosts' },
  { id: 'host', path: '/hosts/:host' },
  { id: 'inspector', path: '/inspectors/*name' },
];

describe('paths', () => {
  let router: Router;
  beforeEach(() => {
    history.replaceState(null, '', '/');
    router = new Router(places);
    router.start();
  });
  afterEach(() => router.stop());

  test.each([
    ['/', { page: 'now', params: {} }],
    ['/hosts', { page: 'hosts', params: {} }],
    ['/hosts/', { page: 'hosts', params: {} }],
    ['/hosts/web-1.example.net', { page: 'host', params: { host: 'web-1.example.net' } }],
    ['/hosts/a%2Fb/', { page: 'host', params: { host: 'a/b' } }],
    ['/hosts/%E0%A4', { page: '', params: {} }],
    ['/hosts/a/b', { page: '', params: {} }],
    ['/inspectors', { page: '', params: {} }],
    ['/inspectors/cpu', { page: 'inspector', params: { name: 'cpu' } }],
    ['/inspectors/cpu/steal', { page: 'inspector', params: { name: 'cpu/steal' } }],
    ['/elsewhere', { page: '', params: {} }],
  ])('%s', (path, route) => {
    expect(router.parse(path)).toEqual(route);
  });

  test('a path leads back to its name, whatever the name', () => {
    for (let i = 0; i < 500; i++) {
      const name = Array.from({ length: 1 + (i % 7) }, () => String.fromCharCode(33 + Math.floor(Math.random() * 90))).join('');
      expect(match('/hosts/:host', hostPath(name)), name).toEqual({ host: name });
      if (name.split('/').some((part) => part === '')) continue;
      expect(match('/inspectors/*name', below('/inspectors', name)), name).toEqual({ name });
    }
  });

  test('another page keeps the time that is shown, and nothing else', () => {
    router.go('/hosts?window=1h&q=db');
    router.go('/hosts/web-1');
    expect(location.pathname + location.search).toBe('/hosts/web-1?window=1h');
    expect(router.route.value).toEqual({ page: 'host', params: { host: 'web-1' } });
    router.go('/hosts?window=6h');
    expect(location.search).toBe('?window=6h');
  });

  test('a click on a link of ours opens its page; others are the browser’s', () => {
    document.body.innerHTML = '<a id="ours" href="/hosts?q=x">1</a><a id="not" href="/api/v1/x">2</a><a id="tab" href="/hosts" target="_blank">3</a>';
    const clicked = (id: string): boolean => {
      const e = new MouseEvent('click', { bubbles: true, cancelable: true });
      addEventListener('click', (last) => last.preventDefault(), { once: true }); // nobody leaves
      let taken = false;
      document.addEventListener('click', (c) => (taken = c.defaultPrevented), { once: true });
      document.getElementById(id)!.dispatchEvent(e);
      return taken;
    };
    expect([clicked('ours'), clicked('not'), clicked('tab')]).toEqual([true, false, false]);
    expect(router.get('q')).toBe('x');
  });

  test('what a page shows is written into its address, and taken out', () => {
    router.go('/hosts?window=1h');
    router.set({ q: 'role=db', sort: '-cpu' });
    expect(location.search).toBe('?window=1h&q=role%3Ddb&sort=-cpu');
    expect(router.get('sort')).toBe('-cpu');
    router.set({ q: '' });
    expect(location.search).toBe('?window=1h&sort=-cpu');
  });
});

test('a query holds what it is given', () => {
  expect(at('/hosts', { q: 'zone in (a,b)', sort: '' })).toBe('/hosts?q=zone+in+%28a%2Cb%29');
  expect(at('/hosts', { q: '' })).toBe('/hosts');
});
