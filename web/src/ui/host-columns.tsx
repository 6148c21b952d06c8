// The columns of the table of hosts: what each shows, and what it is sorted by.

import type { Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { latest } from '../charts/frame.ts';
import type { HostModel } from '../data/store.ts';
import type { Row } from '../data/table.ts';
import { hostPath } from '../lib/router.ts';
import { format, meaningOf, type Unit } from '../lib/units.ts';
import { Badge, State, type Tone } from './kit.tsx';
import { levelOf, Meter } from './meter.tsx';
import { Sparkline } from './sparkline.tsx';
import { coresOf, linesOf, valueOf, type Vital } from './vitals.ts';

export interface HostRow extends Row {
  host: HostModel;
  /** The problems, in words. */
  wrong: string[];
  tone: Tone;
  version: string;
}

export interface HostColumn {
  id: string;
  title: string;
  /** Its share of the width, as in grid-template-columns. */
  width: string;
  cell: (row: HostRow, second: Signal<number>) => ComponentChildren;
  by: (row: HostRow) => string | number;
  /** The greatest values are the interesting ones, so the first click sorts them first. */
  down?: boolean;
  /** It changes with samples. */
  live?: boolean;
}

function vital(id: Vital, title: string, unit: Unit, most: (host: HostModel) => number): HostColumn {
  return {
    id,
    title,
    width: unit === 'bytes/s' ? '132px' : '116px',
    down: true,
    live: true,
    by: ({ host }) => valueOf(host, id),
    cell: ({ host }, second) => {
      const lines = linesOf(host, id);
      if (lines.length === 0) return <span class="zero">–</span>;
      const value = valueOf(host, id);
      const top = most(host);
      const text = format(value, unit);
      return (
        <span class="vital" data-level={levelOf(value, top)}>
          <Sparkline lines={lines} most={unit === 'percent' ? 100 : top} second={second} clock={host.clock} />
          {top > 0 ? <Meter value={value} most={top} text={text} /> : <span class="amount">{text}</span>}
        </span>
      );
    },
  };
}

const none = (): number => 0;

export const columns: readonly HostColumn[] = [
  {
    id: 'host',
    title: 'Host',
    width: 'minmax(144px, 1.2fr)',
    by: (r) => r.name,
    cell: (r) => (
      <State state={r.state} tone={r.tone}>
        <a href={hostPath(r.name)} title={r.name}>
          {r.name}
        </a>
        {r.state !== 'up' && <span class="times"> {r.state}</span>}
      </State>
    ),
  },
  {
    id: 'wrong',
    title: 'What is wrong',
    width: 'minmax(104px, 1.4fr)',
    down: true,
    by: (r) => (r.wrong.length === 0 ? 0 : r.wrong.length + (r.tone === 'bad' ? 1000 : 0)),
    cell: (r) => (
      <span class="wrongs" title={r.wrong.join(', ')}>
        {r.wrong.join(', ')}
      </span>
    ),
  },
  vital('load', 'Load', '', coresOf),
  vital('cpu', 'CPU', 'percent', () => 100),
  vital('memory', 'Memory', 'percent', () => 100),
  vital('disk', 'Disk', 'percent', () => 100),
  vital('in', 'Received', 'bytes/s', none),
  vital('out', 'Sent', 'bytes/s', none),
  {
    id: 'labels',
    title: 'Labels',
    width: 'minmax(100px, 1fr)',
    by: (r) => labelText(r),
    cell: (r) => (
      <span class="labels" title={labelText(r)}>
        {Object.entries(r.labels)
          .filter(([n]) => n !== 'host')
          .map(([n, v]) => (
            <Badge key={n}>
              {n}={v}
            </Badge>
          ))}
      </span>
    ),
  },
  { id: 'version', title: 'Agent', width: '90px', by: (r) => r.version, cell: (r) => r.version },
];

/** The default columns. */
export const usual = ['host', 'wrong', 'load', 'cpu', 'memory', 'disk', 'in', 'labels'];

function labelText(r: HostRow): string {
  return Object.entries(r.labels)
    .filter(([n]) => n !== 'host')
    .map(([n, v]) => `${n}=${v}`)
    .join(' ');
}

/** A column of the values of one key, whatever the key. */
export function keyColumn(key: string): HostColumn {
  const [name, ...rest] = key.split('/');
  const value = ({ host }: HostRow): number => {
    const all = (host.byKey.get(key) ?? []).map((s) => latest(s).value).filter(Number.isFinite);
    return all.length > 0 ? Math.max(...all) : NaN;
  };
  return {
    id: key,
    title: key,
    width: '116px',
    down: true,
    live: true,
    by: value,
    cell: (r, second) => {
      const lines = r.host.byKey.get(key) ?? [];
      if (lines.length === 0) return <span class="zero">–</span>;
      const { unit } = meaningOf(rest.join('/') || name, lines[0].kind);
      return (
        <span class="vital">
          <Sparkline lines={lines} most={0} second={second} clock={r.host.clock} />
          <span class="amount">{format(value(r), unit)}</span>
        </span>
      );
    },
  };
}

/** The columns that the address names, such as `host,cpu,tcp/established`. */
export function columnsOf(text: string): HostColumn[] {
  const ids = text ? text.split(',').filter(Boolean) : usual;
  const found = ids.map((id) => columns.find((c) => c.id === id) ?? (id.includes('/') ? keyColumn(id) : null));
  const list = [...new Map(found.filter((c) => c !== null).map((c) => [c.id, c])).values()];
  return list.some((c) => c.id === 'host') ? list : [columns[0], ...list];
}
