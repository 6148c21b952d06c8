import { expect, test } from 'vitest';
import ComparePage from './compare.tsx';
import { shownPage } from './fake-parts.ts';

const hosts = [{ host: 'web-1', labels: { role: 'web' } }, { host: 'db-1', labels: { role: 'db' } }];

test('hosts that nobody knows are named', async () => {
  const { root } = await shownPage(ComparePage, { hosts, query: { hosts: 'x,<b>y</b>' } });
  expect(root.querySelector('h1')!.textContent).toBe('No host to compare');
  expect(root.textContent).toContain('None of x, <b>y</b> has reported.');
});

test('before the master has named its hosts nobody is told that there are none', async () => {
  const { root } = await shownPage(ComparePage, { query: { q: 'role=cache' }, ready: false });
  expect(root.textContent).toBe('Asking the master for its hosts.');
});

test('a filter that no host fits says so', async () => {
  const { root } = await shownPage(ComparePage, { hosts, query: { q: 'role=cache' } });
  expect(root.textContent).toContain('No host has role in (cache)');
  expect(root.querySelector('a')!.getAttribute('href')).toBe('/hosts');
});
