// The table of hosts. Only the rows on the screen are in the document, and only
// they are written each second, so that ten thousand are as smooth as ten.

import { useComputed, useSignal, type Signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { noHost } from '../data/query.ts';
import { itemsOf, visible, type Item } from '../data/table.ts';
import type { Parts } from '../parts.ts';
import type { HostColumn, HostRow } from './host-columns.tsx';

const height = 36; // px of a row; as in the style
const second = 1_000;
const orderEvery = 3_000; // ms between two sorts by changing values

interface Props extends Parts {
  rows: Signal<HostRow[]>;
  columns: HostColumn[];
  query: string;
  group: string;
  sort: string;
  onSort: (sort: string) => void;
  /** The hosts that were chosen, and what chooses one. */
  chosen: ReadonlySet<string>;
  choose: (name: string, on: boolean) => void;
}

const tick = '22px '; // the column of the boxes

export function HostTable({ rows, columns, query, group, sort, onSort, chosen, choose }: Props) {
  const clock = useSignal(0);
  const order = useSignal(0);
  useEffect(() => {
    const timers = [setInterval(() => clock.value++, second), setInterval(() => order.value++, orderEvery)];
    return () => timers.forEach(clearInterval);
  }, []);
  const column = columns.find((c) => c.id === sort.replace(/^-/, ''));
  if (column?.live) void order.value;
  const items = itemsOf(rows.value, { query, group, by: column?.by ?? null, down: sort.startsWith('-') });
  const template = tick + columns.map((c) => c.width).join(' ');
  const count = items.filter((i) => 'row' in i).length;
  return (
    <div class="hosts-scroll" tabIndex={0} role="region" aria-label="Hosts">
      <div class="hosts" role="table" aria-label="Hosts" aria-rowcount={count + 1} data-shown={count}>
        <div class="row head-row" role="row" style={{ gridTemplateColumns: template }}>
          <span role="columnheader">
            <span class="unseen">Chosen</span>
          </span>
          {columns.map((c) => (
            <Heading key={c.id} column={c} sort={sort} onSort={onSort} />
          ))}
        </div>
        <Body items={items} columns={columns} template={template} clock={clock} chosen={chosen} choose={choose} />
      </div>
      {count === 0 && <p class="waiting">{noHost(query)}</p>}
    </div>
  );
}

function Heading({ column: c, sort, onSort }: { column: HostColumn; sort: string; onSort: (sort: string) => void }) {
  const way = sort === c.id ? 'ascending' : sort === `-${c.id}` ? 'descending' : 'none';
  const first = c.down ? `-${c.id}` : c.id;
  const other = c.down ? c.id : `-${c.id}`;
  return (
    <span role="columnheader" aria-sort={way}>
      <button type="button" class="sorts" data-way={way} onClick={() => onSort(sort === first ? other : first)}>
        {c.title}
      </button>
    </span>
  );
}

interface BodyProps extends Pick<Props, 'chosen' | 'choose'> {
  items: Item<HostRow>[];
  columns: HostColumn[];
  template: string;
  clock: Signal<number>;
}

function Body({ items, columns, template, clock, chosen, choose }: BodyProps) {
  const box = useRef<HTMLDivElement>(null);
  const range = useSignal<[number, number]>([0, 40]);
  const start = useRef(0); // of the body, from the top of the page
  const measure = (): void => {
    if (box.current) start.current = box.current.getBoundingClientRect().top + scrollY;
    look();
  };
  // Reading positions while the page scrolls would cause a layout each time.
  const look = (): void => {
    const top = scrollY - start.current;
    const next = visible(items.length, height, top, top + innerHeight);
    const now = range.peek();
    if (next[0] !== now[0] || next[1] !== now[1]) range.value = next;
  };
  useLayoutEffect(measure, []);
  useLayoutEffect(look, [items.length]);
  useEffect(() => {
    const onScroll = (): void => look();
    addEventListener('scroll', onScroll, { passive: true });
    addEventListener('resize', measure);
    const timer = setInterval(measure, second);
    return () => {
      removeEventListener('scroll', onScroll);
      removeEventListener('resize', measure);
      clearInterval(timer);
    };
  });
  const [from, to] = range.value;
  return (
    <div ref={box} class="rows-body" role="rowgroup" style={{ height: `${items.length * height}px` }}>
      {items.slice(from, to).map((item, i) => {
        const top = `${(from + i) * height}px`;
        if ('group' in item) {
          return (
            <div key={`group ${item.group}`} class="row group-row" role="row" style={{ top }}>
              <span role="cell">
                <b>{item.group || 'without the label'}</b> <span class="times">{item.count}</span>
              </span>
            </div>
          );
        }
        return <Line key={item.row.name} row={item.row} columns={columns} template={template} top={top} clock={clock} index={from + i + 2} chosen={chosen.has(item.row.name)} choose={choose} />;
      })}
    </div>
  );
}

interface LineProps {
  row: HostRow;
  columns: HostColumn[];
  template: string;
  top: string;
  clock: Signal<number>;
  index: number;
  chosen: boolean;
  choose: Props['choose'];
}

function Line({ row, columns, template, top, clock, index, chosen, choose }: LineProps) {
  return (
    <div class="row" role="row" aria-rowindex={index} data-host={row.name} style={{ gridTemplateColumns: template, top }}>
      <span role="cell">
        <input type="checkbox" aria-label={`Choose ${row.name}`} checked={chosen} onChange={(e) => choose(row.name, e.currentTarget.checked)} />
      </span>
      {columns.map((c) => (
        <span key={c.id} role="cell" data-column={c.id} data-live={c.live}>
          {c.live ? <Live row={row} column={c} clock={clock} /> : c.cell(row, clock)}
        </span>
      ))}
    </div>
  );
}

/** A cell that is written each second. */
function Live({ row, column, clock }: { row: HostRow; column: HostColumn; clock: Signal<number> }) {
  const cell = useComputed(() => {
    void clock.value;
    return column.cell(row, clock);
  });
  return <>{cell.value}</>;
}
