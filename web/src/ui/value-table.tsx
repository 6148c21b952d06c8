// Values with their labels as a table: a row a series.

import { labelNames, type ValueRow } from '../data/matrix.ts';
import { format, type Unit } from '../lib/units.ts';
import { Table, type TableColumn } from './table.tsx';

const most = 500;

/** The labels that have a column. A name that all rows share is in the query already. */
export function namesShown(rows: ValueRow[]): string[] {
  const all = labelNames(rows);
  const named = rows.some((r) => '__name__' in r.labels);
  const rest = all.filter((n) => n !== 'key' || !named);
  const told = rest.length > 1 && rows.every((r) => r.labels.__name__ === rows[0].labels.__name__);
  return told ? rest.filter((n) => n !== '__name__') : rest;
}

export function ValueTable({ rows, queries, unit }: { rows: ValueRow[]; queries: string[]; unit: Unit }) {
  const columns: TableColumn<ValueRow>[] = [
    ...(queries.length > 1 ? [{ id: 'query', title: 'Query', by: (r: ValueRow) => r.query, cell: (r: ValueRow) => <code>{queries[r.query]}</code> }] : []),
    ...namesShown(rows)
      .map(
        (n, i): TableColumn<ValueRow> => ({
          id: `label ${n}`,
          title: n === '__name__' ? 'name' : n,
          heads: i === 0,
          by: (r) => r.labels[n] ?? '',
          cell: (r) => <span class="reason">{r.labels[n] ?? ''}</span>,
        }),
      ),
    { id: 'value', title: 'Value', number: true, by: (r) => (Number.isNaN(r.value) ? -Infinity : r.value), cell: (r) => <span title={r.text}>{Number.isFinite(r.value) ? format(r.value, unit) : r.text}</span> },
  ];
  return (
    <>
      <Table label="Values" columns={columns} rows={rows.slice(0, most)} id={(r) => r.id} />
      {rows.length > most && <p class="hint">The first {most} of {rows.length} rows; CSV has all.</p>}
    </>
  );
}
