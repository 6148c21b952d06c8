import { render } from 'preact';
import { act } from 'preact/test-utils';
import { expect, test } from 'vitest';
import { sorted, Table, type TableColumn } from './table.tsx';

interface Row {
  name: string;
  n: number;
}
const columns: TableColumn<Row>[] = [
  { id: 'name', title: 'Name', cell: (r) => r.name, by: (r) => r.name, heads: true },
  { id: 'n', title: 'Number', cell: (r) => r.n, by: (r) => r.n, number: true },
  { id: 'x', title: 'Nothing', cell: () => 'x' },
];
const rows: Row[] = [
  { name: 'web-10', n: 2 },
  { name: 'web-2', n: 10 },
  { name: 'a', n: 2 },
];

test('rows are sorted by names and numbers as people do, and equal ones stay', () => {
  const names = (sort: string): string[] => sorted(rows, columns, sort).map((r) => r.name);
  expect(names('name')).toEqual(['a', 'web-2', 'web-10']);
  expect(names('-name')).toEqual(['web-10', 'web-2', 'a']);
  expect(names('n')).toEqual(['web-10', 'a', 'web-2']);
  expect(names('x')).toEqual(['web-10', 'web-2', 'a']);
});

test('a click on a heading sorts, and the other way round', async () => {
  const root = document.createElement('div');
  await act(() => render(<Table label="Rows" columns={columns} rows={rows} id={(r) => r.name} sort="name" />, root));
  const shown = (): (string | null)[] => [...root.querySelectorAll('tbody th')].map((c) => c.textContent);
  const heading = (): HTMLElement => [...root.querySelectorAll('thead th')].find((h) => h.textContent === 'Number') as HTMLElement;
  expect(shown()).toEqual(['a', 'web-2', 'web-10']);
  await act(() => heading().querySelector('button')!.click());
  expect(shown().at(-1)).toBe('web-2');
  expect(heading().getAttribute('aria-sort')).toBe('ascending');
  await act(() => heading().querySelector('button')!.click());
  expect(shown()[0]).toBe('web-2');
  expect(root.querySelectorAll('thead button').length).toBe(2);
});

test('an empty table says what it was given to say', () => {
  const root = document.createElement('div');
  render(<Table label="Rows" columns={columns} rows={[]} id={(r: Row) => r.name} empty={<p>none</p>} />, root);
  expect(root.innerHTML).toBe('<p>none</p>');
});
