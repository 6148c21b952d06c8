import { signal } from '@preact/signals';
import { expect, test } from 'vitest';
import type { Problem } from '../data/problems.ts';
import { shownPage, texts } from './fake-parts.ts';
import NowPage from './now.tsx';

const hosts = [{ host: 'a' }, { host: 'b', state: 'gone' as const }, { host: 'c' }];
const problem: Problem = { id: 'gone ', kind: 'gone', tone: 'bad', subject: '', title: 'b is gone', reasons: [], hosts: ['b'], since: 0 };
const wrong = { problems: signal([problem]), wrong: signal(new Map()), changes: signal([]), rollouts: signal([]), catalog: signal([]), rate: signal(7) };

test('without any host the next step is told', async () => {
  const { root } = await shownPage(NowPage, {});
  expect(root.querySelector('pre')!.textContent).toContain('vedette agent --master');
});

test('where nothing is wrong it says so calmly, and counts who is up', async () => {
  const { root } = await shownPage(NowPage, { hosts });
  expect(texts(root, '.head .count')).toEqual(['2 up, 1 gone']);
  expect(texts(root, '.calm')).toEqual(['Nothing is wrong on 3 hosts.']);
  expect(root.querySelector('.fleet')).not.toBeNull();
});

test('what is wrong takes the place of the calm', async () => {
  const { root } = await shownPage(NowPage, { hosts, more: { fleet: wrong } });
  expect(root.querySelector('.calm')).toBeNull();
  expect(root.querySelector('[data-problem] a')!.getAttribute('href')).toBe('/hosts/b');
});
