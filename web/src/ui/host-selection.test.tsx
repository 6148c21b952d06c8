import { signal } from '@preact/signals';
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { expect, test, vi } from 'vitest';
import type { Parts } from '../parts.ts';
import { HostSelection } from './host-selection.tsx';

const info = (labels: Record<string, string>) => ({ info: signal({ labels }) });

/** A session that notes which labels were set, and a store with two hosts. */
function fakes(may: boolean, fails: string[] = []) {
  const set: [string, Record<string, string>][] = [];
  const session = {
    may: () => may,
    look: async () => {},
    rpc: {
      call: async (_: string, p: { host: string; labels: Record<string, string> }) => {
        if (fails.includes(p.host)) throw new Error('it is unknown');
        set.push([p.host, p.labels]);
      },
    },
  };
  const hosts: Record<string, unknown> = { a: info({ role: 'web' }), b: info({}) };
  const parts = { session, store: { get: (n: string) => hosts[n] }, router: { set: () => {} } } as unknown as Parts;
  return { set, parts };
}

async function shown(parts: Parts, chosen: string[]): Promise<HTMLElement> {
  const root = document.createElement('div');
  await act(() => render(<HostSelection {...parts} chosen={new Set(chosen)} />, root));
  return root;
}

test('who only looks compares, and no more', async () => {
  const root = await shown(fakes(false).parts, ['a', 'b']);
  expect([...root.querySelectorAll('a')].map((a) => a.getAttribute('href'))).toEqual(['/compare?hosts=a%2Cb']);
  expect(root.querySelector('input')).toBeNull();
});

test('all are labelled, and each gets back what it had', async () => {
  const { set, parts } = fakes(true);
  const root = await shown(parts, ['a', 'b']);
  expect([...root.querySelectorAll('a')].map((a) => a.getAttribute('href'))[1]).toBe('/editor?to=host+in+%28a%2Cb%29');
  const field = root.querySelector('input')!;
  const type = async (text: string): Promise<void> => {
    field.value = text;
    await act(async () => {
      field.dispatchEvent(new Event('input', { bubbles: true }));
      root.querySelector('form')!.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }));
    });
  };
  await type('nonsense');
  expect(root.textContent).toContain('write it as name=value');
  await type('role=db');
  expect(set).toEqual([['a', { role: 'db' }], ['b', { role: 'db' }]]);
  const undo = await vi.waitFor(() => {
    const found = [...root.querySelectorAll('button')].find((b) => b.textContent === 'Undo');
    expect(found).toBeDefined();
    return found!;
  });
  await act(async () => undo.click());
  await vi.waitFor(() => expect(set.slice(2)).toEqual([['a', { role: 'web' }], ['b', { role: '' }]]));
});

test('a host that cannot be labelled is told', async () => {
  const { parts } = fakes(true, ['b']);
  const root = await shown(parts, ['a', 'b']);
  const field = root.querySelector('input')!;
  field.value = 'role=db';
  await act(async () => {
    field.dispatchEvent(new Event('input', { bubbles: true }));
    root.querySelector('form')!.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }));
  });
  await vi.waitFor(() => expect(root.textContent).toContain('1 of 2 were not labelled: it is unknown'));
});
