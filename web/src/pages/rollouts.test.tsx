import { signal } from '@preact/signals';
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { expect, test } from 'vitest';
import type { Rollout } from '../data/wire.gen.ts';
import type { PageProps } from '../parts.ts';
import RolloutsPage, { matching } from './rollouts.tsx';

const rollout = (id: string, more: Partial<Rollout> = {}): Rollout =>
  ({ id, inspector: 'disk', action: 'push', from: '', to: 'abcdef0123', from_selector: '', to_selector: '*', state: 'done', author: 'ann', stage: 0, stages: null, started_ms: Date.now(), plan: {}, ...more }) as Rollout;

async function shown(rollouts: Rollout[] | null, q = ''): Promise<HTMLElement> {
  const rpc = { call: async () => ({ rollouts }), subscribe: () => ({ close: () => {} }) };
  const session = { rpc, link: signal({ kind: 'live' }), info: signal({}), may: () => false };
  const root = document.createElement('div');
  await act(() => render(<RolloutsPage {...({ session, router: { get: () => q, set: () => {} }, params: {} } as unknown as PageProps)} />, root));
  return root;
}

test('each rollout is a line that leads to it, and its words are text', async () => {
  const root = await shown([rollout('2', { message: '<b>why</b>' }), rollout('1', { state: 'rolled back', reason: 'it failed' })]);
  expect([...root.querySelectorAll('tbody a')].map((a) => a.getAttribute('href'))).toEqual(['/rollouts/2', '/inspectors/disk', '/rollouts/1', '/inspectors/disk']);
  expect(root.querySelector('td b')).toBeNull();
  expect(root.textContent).toContain('“<b>why</b>”');
});

test('the filter takes words, and says where none fit', async () => {
  const list = [rollout('2'), rollout('1', { state: 'rolled back', author: 'bob' })];
  expect(matching(list, 'BOB rolled').map((r) => r.id)).toEqual(['1']);
  expect((await shown(list, 'nobody')).textContent).toContain('No rollout matches.');
});

test('where there is none the next step is told', async () => {
  expect((await shown(null)).querySelector('pre')!.textContent).toContain('vedette push');
});
