import { render } from 'preact';
import { act } from 'preact/test-utils';
import { expect, test } from 'vitest';
import type { ValueRow } from '../data/matrix.ts';
import { namesShown, ValueTable } from './value-table.tsx';

const row = (n: number, labels: Record<string, string>, query = 0): ValueRow => ({ id: `${query} ${n}`, query, labels, value: n, text: String(n) });

async function shown(rows: ValueRow[], queries: string[]): Promise<HTMLElement> {
  const root = document.createElement('div');
  await act(() => render(<ValueTable rows={rows} queries={queries} unit="percent" />, root));
  return root;
}

const texts = (root: HTMLElement, selector: string): string[] => [...root.querySelectorAll(selector)].map((e) => e.textContent ?? '');

test('a row a series, with a column for each label and none for the key', async () => {
  const root = await shown([row(1, { __name__: 'x', host: 'a', key: 'x' }), row(2, { __name__: 'x', host: 'b', key: 'x', mount: '<b>/' })], ['x']);
  expect(texts(root, 'thead th')).toEqual(['host', 'mount', 'Value']);
  expect(texts(root, 'tbody tr:last-child > *')).toEqual(['b', '<b>/', '2 %']);
  expect(root.querySelector('tbody b')).toBeNull();
});

test('names have a column where they differ, or where there is nothing else', () => {
  expect(namesShown([row(1, { __name__: 'x', host: 'a' }), row(2, { __name__: 'y', host: 'a' })])).toEqual(['__name__', 'host']);
  expect(namesShown([row(1, { __name__: 'x' })])).toEqual(['__name__']);
  expect(namesShown([row(1, { key: 'x', host: 'a' })])).toEqual(['host', 'key']);
});

test('several queries are told apart, and a press sorts', async () => {
  const root = await shown([row(3, { host: 'a' }), row(10, { host: 'b' }, 1)], ['x', 'y']);
  expect(texts(root, 'tbody tr:first-child td:first-child')).toEqual(['x']);
  const value = [...root.querySelectorAll<HTMLButtonElement>('thead button')].find((b) => b.textContent === 'Value')!;
  await act(() => value.click());
  await act(() => value.click());
  expect(texts(root, 'tbody tr:first-child td:last-child')).toEqual(['10 %']);
});

test('of many rows the first are shown, and it says so', async () => {
  const root = await shown(Array.from({ length: 501 }, (_, i) => row(i, { host: `h${i}` })), ['x']);
  expect(root.querySelectorAll('tbody tr').length).toBe(500);
  expect(root.textContent).toContain('The first 500 of 501 rows');
});
