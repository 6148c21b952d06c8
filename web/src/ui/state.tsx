// The state of a host as a shape and words, its facts, and its broken inspectors.

import type { Parts } from '../parts.ts';
import type { HostModel } from '../data/store.ts';
import type { InspectorStatus } from '../data/wire.ts';
import { since } from '../lib/time.ts';
import { duration } from '../lib/units.ts';
import { latest } from '../charts/frame.ts';

/** Smaller clock errors do not matter. */
const skewShown = 2_000;

export function Condition({ host, store, session }: Pick<Parts, 'store' | 'session'> & { host: HostModel }) {
  const info = host.info.value;
  if (info?.state === 'gone') {
    const at = info.since_ms + store.masterOffset;
    return (
      <span class="condition gone">
        <i aria-hidden="true" />
        gone since {since(at, Date.now())}
      </span>
    );
  }
  if (session.link.value.kind !== 'live') {
    return (
      <span class="condition unsure">
        <i aria-hidden="true" />
        up when last heard
      </span>
    );
  }
  const bad = broken(host).length;
  return (
    <span class={bad ? 'condition warn' : 'condition up'}>
      <i aria-hidden="true" />
      {bad ? `up, ${badText(broken(host))}` : 'up'}
    </span>
  );
}

/** 2 failing, 1 quarantined. */
export function badText(list: InspectorStatus[]): string {
  const states = [...new Set(list.map((i) => i.state))].sort();
  return states.map((s) => `${list.filter((i) => i.state === s).length} ${s}`).join(', ');
}

export function Facts({ host, labels = true }: { host: HostModel; labels?: boolean }) {
  const info = host.info.value;
  if (!info) return null;
  const uptime = [...host.byId.values()].find((s) => s.key === 'uptime/seconds' || s.key === 'uptime');
  const facts = [
    [info.os, info.arch].filter(Boolean).join('/'),
    uptime && !host.gone ? `up ${duration(Math.floor(latest(uptime).value / 60) * 60)}` : '',
    info.version ? `agent ${info.version}` : info.simple ? 'reports by single calls' : '',
    ...(labels ? Object.entries(info.labels ?? {}).map(([k, v]) => `${k}=${v}`) : []),
  ].filter(Boolean);
  return (
    <>
      <span class="facts">{facts.join(' · ')}</span>
      <Skew ms={info.skew_ms} />
    </>
  );
}

function Skew({ ms }: { ms: number }) {
  if (Math.abs(ms) <= skewShown) return null;
  const way = ms > 0 ? 'fast' : 'slow';
  return (
    <span class="skew" title="Charts are drawn as if the clock were right.">
      clock {duration(Math.abs(ms) / 1000)} {way}
    </span>
  );
}

export function broken(host: HostModel): InspectorStatus[] {
  return (host.info.value?.inspectors ?? []).filter(
    (i) => i.state === 'failing' || i.state === 'quarantined' || i.state === 'starved',
  );
}

/** The inspectors that do not work, each with its error. */
export function Problems({ host }: { host: HostModel }) {
  const list = broken(host);
  if (list.length === 0) return null;
  return (
    <ul class="problems">
      {list.map((i) => (
        <li key={i.name}>
          <i aria-hidden="true" />
          <b>{i.name}</b> <span class="state">{i.state}</span>{' '}
          <span class="error">{i.error || 'no reason given'}</span>
        </li>
      ))}
    </ul>
  );
}
