// A sortable table for lists of some hundred rows. The table of hosts, which may have
// ten thousand, is a different one.

import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { compareNames } from '../data/names.ts';

export interface TableColumn<T> {
  id: string;
  title: string;
  cell: (row: T) => ComponentChildren;
  /** The sort value of a row; a column without one cannot be sorted. */
  by?: (row: T) => string | number;
  number?: boolean;
  /** The cell names the row. */
  heads?: boolean;
}

export interface TableProps<T> {
  /** The description for screen readers. */
  label: string;
  columns: TableColumn<T>[];
  rows: T[];
  id: (row: T) => string;
  /** The id of the column; a - before it sorts the greatest first. */
  sort?: string;
  empty?: ComponentChildren;
  /** The row that the address is about. */
  current?: (row: T) => boolean;
}

export function sorted<T>(rows: T[], columns: TableColumn<T>[], sort: string): T[] {
  const down = sort.startsWith('-');
  const by = columns.find((c) => c.id === sort.replace(/^-/, ''))?.by;
  if (!by) return rows;
  const order = (a: string | number, b: string | number): number =>
    typeof a === 'number' && typeof b === 'number' ? a - b : compareNames(String(a), String(b));
  return rows
    .map((row, i) => ({ row, i, value: by(row) }))
    .sort((a, b) => (down ? order(b.value, a.value) : order(a.value, b.value)) || a.i - b.i)
    .map((r) => r.row);
}

export function Table<T>({ label, columns, rows, id, sort = '', empty, current }: TableProps<T>) {
  const order = useSignal(sort);
  if (rows.length === 0 && empty !== undefined) return <>{empty}</>;
  const turn = (column: string): void => {
    order.value = order.value === column ? `-${column}` : column;
  };
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map((c) => (
              <Heading key={c.id} column={c} order={order.value} turn={turn} />
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted(rows, columns, order.value).map((row) => (
            <tr key={id(row)} data-row={id(row)} aria-current={current?.(row) || undefined}>
              {columns.map((c) =>
                c.heads ? (
                  <th key={c.id} scope="row">
                    <div class="row-name">{c.cell(row)}</div>
                  </th>
                ) : (
                  <td key={c.id} class={c.number ? 'number' : undefined}>
                    {c.cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Heading<T>({ column, order, turn }: { column: TableColumn<T>; order: string; turn: (id: string) => void }) {
  const way = order === column.id ? 'ascending' : order === `-${column.id}` ? 'descending' : 'none';
  return (
    <th scope="col" class={column.number ? 'number' : undefined} aria-sort={column.by ? way : undefined}>
      {column.by ? (
        <button type="button" class="sorts" data-way={way} onClick={() => turn(column.id)}>
          {column.title}
        </button>
      ) : (
        column.title
      )}
    </th>
  );
}
