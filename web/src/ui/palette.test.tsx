import { signal } from '@preact/signals';
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { expect, test } from 'vitest';
import { pages } from '../pages.ts';
import type { Parts } from '../parts.ts';
import Palette, { entriesOf } from './palette.tsx';

function parts(role: string): { parts: Parts; went: string[] } {
  const went: string[] = [];
  const host = (name: string) => ({ name, info: signal({ inspectors: [{ name: 'cpu' }] }) });
  const fake = {
    session: { may: (needs: string) => needs === 'viewer' || role === 'operator' },
    store: { hosts: signal([host('web-1'), host('web-2')]) },
    fleet: { catalog: signal([{ name: 'disk/inodes' }]) },
    view: { time: { live: (ms: number) => went.push(`live ${ms}`) }, theme: signal('system') },
    router: { go: (path: string) => went.push(path) },
  };
  return { parts: fake as unknown as Parts, went };
}

test('it leads to every host, inspector and page, once', () => {
  const { parts: p, went } = parts('operator');
  const entries = entriesOf({ ...p, pages });
  const texts = entries.filter((e) => e.kind !== 'action').map((e) => `${e.kind} ${e.text}`);
  expect(new Set(texts).size).toBe(texts.length);
  for (const e of entries.filter((x) => x.kind === 'host' || x.kind === 'inspector')) e.run();
  expect(went).toEqual(['/hosts/web-1', '/hosts/web-2', '/inspectors/disk/inodes', '/inspectors/cpu']);
});

test('a viewer is offered nothing that it may not do', () => {
  const pageNames = (role: string): string[] => entriesOf({ ...parts(role).parts, pages }).filter((e) => e.kind === 'page').map((e) => e.text);
  const closed = pages.filter((p) => p.role === 'operator' && !/[:*]/.test(p.path)).map((p) => p.title({}));
  expect(pageNames('viewer').filter((n) => closed.includes(n))).toEqual([]);
  expect(pageNames('operator')).toEqual(expect.arrayContaining(closed));
});

test('letters, arrows and Enter lead there', async () => {
  const { parts: p, went } = parts('operator');
  const root = document.createElement('div');
  let closed = 0;
  await act(() => render(<Palette {...p} typed={signal('')} pages={pages} close={() => closed++} />, root));
  const field = root.querySelector('input')!;
  await act(() => {
    field.value = 'web';
    field.dispatchEvent(new Event('input', { bubbles: true }));
  });
  expect([...root.querySelectorAll('[role="option"] span:first-child')].map((o) => o.textContent)).toEqual(['web-1', 'web-2']);
  const press = (key: string) => act(() => void field.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true })));
  await press('ArrowDown');
  expect(root.querySelector('[aria-selected="true"]')!.textContent).toContain('web-2');
  await press('Enter');
  expect([went, closed]).toEqual([['/hosts/web-2'], 1]);
});
