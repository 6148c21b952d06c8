// The fleet in a few numbers, and its busiest hosts.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { valueOf } from './vitals.ts';
import type { HostModel } from '../data/store.ts';
import type { Parts } from '../parts.ts';
import { hostPath } from '../lib/router.ts';
import { Meter } from './meter.tsx';

const most = 5;
const every = 2_000;

export function FleetCard({ store, fleet, session }: Parts) {
  const hosts = store.hosts.value;
  const series = hosts.reduce((n, h) => n + (h.info.value?.series ?? 0), 0);
  const facts: [string, string][] = [
    ['hosts', hosts.length.toLocaleString('en')],
    ['samples a second', fleet.rate.value.toLocaleString('en')],
    ['series', (series || (session.info.value?.series ?? 0)).toLocaleString('en')],
    ['inspectors pushed', fleet.catalog.value.length.toLocaleString('en')],
  ];
  return (
    <section class="card fleet" aria-labelledby="fleet">
      <h2 id="fleet">The fleet</h2>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Busiest store={store} />
    </section>
  );
}

function busiest(hosts: HostModel[]): { name: string; used: number }[] {
  return hosts
    .filter((h) => !h.gone)
    .map((h) => ({ name: h.name, used: valueOf(h, 'cpu') }))
    .filter((h) => Number.isFinite(h.used))
    .sort((a, b) => b.used - a.used)
    .slice(0, most);
}

function Busiest({ store }: Pick<Parts, 'store'>) {
  const list = useSignal(busiest(store.hosts.peek()));
  useEffect(() => {
    const timer = setInterval(() => (list.value = busiest(store.hosts.peek())), every);
    return () => clearInterval(timer);
  }, []);
  if (list.value.length === 0) return null;
  return (
    <>
      <h3>Busiest processors</h3>
      <ul class="busiest">
        {list.value.map(({ name, used }) => (
          <li key={name}>
            <a href={hostPath(name)}>{name}</a>
            <Meter value={used} most={100} text={`${Math.round(used)} %`} />
          </li>
        ))}
      </ul>
    </>
  );
}
