import { signal } from '@preact/signals';
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { expect, test } from 'vitest';
import type { Member } from '../data/wire.gen.ts';
import type { PageProps } from '../parts.ts';
import MembersPage from './members.tsx';

const member = (host: string, state: string): Member => ({ host, state, key: 'ab'.repeat(32), token: 'join-1', from: '10.0.0.7:9', joined_ms: Date.now(), ends_ms: Date.now() + 3 * 86_400_000 });

async function shown(may: boolean, members: Member[], fails = '') {
  const calls: [string, object][] = [];
  const rpc = {
    call: async (method: string, params: object) => {
      calls.push([method, params]);
      if (fails === method) throw new Error('it is on fire');
      if (method === 'tokens.join') return { token: 'vedette_join_x', info: { name: 'join-2', uses: 3, role: 'join', source: 'master' } };
      return { members };
    },
    subscribe: () => ({ close: () => {} }),
  };
  const session = { rpc, may: () => may, link: signal({ kind: 'live' }), info: signal({}) };
  const router = { get: () => '', set: () => {} };
  const root = document.createElement('div');
  await act(() => render(<MembersPage {...({ session, router, store: { masterOffset: 0 }, params: {} } as unknown as PageProps)} />, root));
  const press = async (text: string): Promise<void> => {
    const button = [...root.querySelectorAll('button')].find((b) => b.textContent === text);
    if (!button) throw new Error(`there is no button ${text} in ${root.textContent}`);
    await act(async () => button.click());
  };
  return { root, calls, press };
}

test('who waits is approved by one press, and refused by two', async () => {
  const { root, calls, press } = await shown(true, [member('a', 'joined'), member('<b>new</b>', 'waiting')]);
  expect([...root.querySelectorAll('tbody th')].map((c) => c.textContent)).toEqual(['<b>new</b>', 'a']);
  expect(root.textContent).toContain('1 joined, 1 waits');
  await press('Refuse');
  expect(calls.some(([m]) => m === 'hosts.revoke')).toBe(false);
  await press('Refuse <b>new</b>');
  await press('Keep');
  await press('Approve');
  expect(calls.filter(([m]) => /approve|revoke/.test(m))).toEqual([['hosts.revoke', { host: '<b>new</b>' }], ['hosts.approve', { host: '<b>new</b>' }]]);
});

test('a viewer is offered nothing', async () => {
  const { root } = await shown(false, [member('a', 'joined'), member('b', 'waiting')]);
  expect([...root.querySelectorAll('button')].filter((b) => !b.classList.contains('sorts')).length).toBe(0);
});

test('the line to paste is made, and why it is not', async () => {
  const { root, press } = await shown(true, []);
  await press('Add hosts');
  await act(async () => void root.querySelector('form')!.dispatchEvent(new Event('submit', { cancelable: true })));
  expect(root.querySelector('.join-line pre')!.textContent).toBe(`vedette-agent join ${location.origin} --token vedette_join_x`);
  const other = await shown(true, [], 'tokens.join');
  await other.press('Add hosts');
  await act(async () => void other.root.querySelector('form')!.dispatchEvent(new Event('submit', { cancelable: true })));
  expect(other.root.querySelector('[role="alert"]')!.textContent).toContain('cannot make a join token: it is on fire');
});

test('what fails is told', async () => {
  const { root } = await shown(true, [], 'hosts.members');
  expect(root.textContent).toContain('cannot list who has joined: it is on fire');
});
