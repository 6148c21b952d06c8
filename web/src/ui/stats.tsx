// The most important values of a host, for a folded panel.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { HostModel } from '../data/store.ts';
import { format, type Unit } from '../lib/units.ts';
import { linesOf, valueOf, type Vital } from './vitals.ts';

const stats: [name: string, vital: Vital, unit: Unit][] = [
  ['load', 'load', ''],
  ['cpu', 'cpu', 'percent'],
  ['memory', 'memory', 'percent'],
  ['disk', 'disk', 'percent'],
  ['in', 'in', 'bytes/s'],
  ['out', 'out', 'bytes/s'],
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
  return stats
    .filter(([, vital]) => linesOf(host, vital).length > 0)
    .map(([name, vital, unit]) => [name, format(valueOf(host, vital), unit)]);
}
