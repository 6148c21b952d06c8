// The few values that tell most about a host, for a panel that is folded.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { latest } from '../charts/frame.ts';
import type { HostModel, Series } from '../data/store.ts';
import { format, meaningOf } from '../lib/units.ts';

interface Stat {
  name: string;
  key: string;
  /** Of several lines, as of mounts, which one counts. */
  of: 'max' | 'sum';
}

const stats: Stat[] = [
  { name: 'load', key: 'load/average-1', of: 'max' },
  { name: 'cpu', key: 'cpu/used_percent', of: 'max' },
  { name: 'memory', key: 'memory/used_percent', of: 'max' },
  { name: 'disk', key: 'disk/used_percent', of: 'max' },
  { name: 'in', key: 'network/receive_bytes_total', of: 'sum' },
  { name: 'out', key: 'network/transmit_bytes_total', of: 'sum' },
];

const every = 1_000;

export function Stats({ host }: { host: HostModel }) {
  const values = useSignal(read(host));
  useEffect(() => {
    const timer = setInterval(() => (values.value = read(host)), every);
    return () => clearInterval(timer);
  }, [host]);
  return (
    <span class="stats">
      {values.value.map(([name, value]) => (
        <span key={name}>
          {name} <b>{value}</b>
        </span>
      ))}
    </span>
  );
}

function read(host: HostModel): [string, string][] {
  return stats.flatMap((stat): [string, string][] => {
    const lines = [...host.byId.values()].filter((s) => s.key === stat.key && !loopback(s));
    if (lines.length === 0) return [];
    const all = lines.map((s) => latest(s).value).filter(Number.isFinite);
    const value =
      all.length === 0 ? NaN : stat.of === 'sum' ? all.reduce((a, b) => a + b) : Math.max(...all);
    const { unit } = meaningOf(lines[0].item, lines[0].rate ? 'counter' : 'gauge');
    return [[stat.name, format(value, unit)]];
  });
}

/** What a host says to itself is not traffic. */
function loopback(series: Series): boolean {
  return series.labels.interface === 'lo';
}
