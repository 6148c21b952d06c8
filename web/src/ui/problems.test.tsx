import { render } from 'preact';
import { expect, test } from 'vitest';
import type { Problem } from '../data/problems.ts';
import type { Parts } from '../parts.ts';
import { Problems } from './problems.tsx';

const parts = { store: { hosts: { value: [1, 2, 3] } } } as unknown as Parts;
const problem: Problem = {
  id: 'failing cert',
  kind: 'failing',
  tone: 'bad',
  subject: 'cert',
  title: 'cert failing on 20 of 30 hosts',
  reasons: [
    { text: '<b>no</b>', hosts: 18 },
    { text: 'b', hosts: 2 },
  ],
  hosts: Array.from({ length: 20 }, (_, i) => `web-${i}`),
  since: Date.now() - 600_000,
};

function html(list: Problem[]): HTMLElement {
  const root = document.createElement('div');
  render(<Problems {...parts} list={list} />, root);
  return root;
}

test('a problem says what, why, where and since when', () => {
  const root = html([problem]);
  expect(root.querySelector('[data-problem]')!.textContent).toContain('for 10 min');
  expect([...root.querySelectorAll('.whys > li')].map((l) => l.textContent)).toEqual(['<b>no</b> on 18', 'b on 2']);
  const links = [...root.querySelectorAll('.where a')];
  expect(links.length).toBe(7);
  expect(links[6].textContent).toBe('and 14 more');
  expect(links[6].getAttribute('href')).toBe('/hosts?q=cert+failing');
});

test('a problem leads to what it is about, or to its hosts', () => {
  const link = (more: Partial<Problem>): string | undefined => html([{ ...problem, ...more }]).querySelector('b a')?.getAttribute('href') ?? undefined;
  expect(link({ subject: '', title: 'web/1 is gone', hosts: ['web/1'] })).toBe('/hosts/web%2F1');
  expect(link({ subject: '', hosts: ['a', 'b'] })).toBe('/hosts?q=failing');
  expect(link({ subject: 'a/b c', hosts: ['a'] })).toBe('/inspectors/a/b%20c');
  expect(link({ kind: 'alert', subject: 'disk/full' })).toBe('/alerts');
  expect(link({ id: 'rollout r1', kind: 'rolled back', subject: 'x' })).toBe('/rollouts/r1');
});

test('nothing wrong is said calmly', () => {
  expect(html([]).textContent).toBe('Nothing is wrong on 3 hosts.');
});
