// The alerts about which this browser notifies, and the texts. Pure.

import { at } from '../lib/router.ts';
import { loud } from './firing.ts';
import type { Alert } from './wire.gen.ts';

/** The alerts that were told, and when each was last seen (ms): an alert that fires again is a new one. */
export type Told = Record<string, number>;

const names = 4; // that are listed

export function keyOf({ id, since_ms }: Alert): string {
  return `${id} ${since_ms}`;
}

function rings(alerts: Alert[]): Alert[] {
  return loud(alerts).filter((a) => a.state === 'firing');
}

/** Firing alerts that were not told yet. */
export function untold(alerts: Alert[], told: Told): Alert[] {
  return rings(alerts).filter((a) => told[keyOf(a)] === undefined);
}

/**
 * The alerts that count as told from now on. An alert that has ended is forgotten
 * after `memory` ms, because a list may be empty for a moment.
 */
export function toldAfter(alerts: Alert[], told: Told, now: number, memory: number): Told {
  const live = new Set(alerts.map(keyOf));
  const kept = Object.entries(told)
    .map(([key, when]): [string, number] => [key, live.has(key) ? now : when])
    .filter(([, when]) => now - when < memory);
  return Object.fromEntries([...kept, ...untold(alerts, told).map((a): [string, number] => [keyOf(a), now])]);
}

export interface Words {
  title: string;
  body: string;
  /** The target of a click. */
  href: string;
  /** A notification replaces an earlier one with the same tag. */
  tag: string;
}

/** One notification for all new alerts. */
export function wordsOf(list: Alert[]): Words {
  const tag = list.map(keyOf).sort().join('\n');
  if (list.length === 1) {
    const [a] = list;
    return { title: a.host ? `${a.name} on ${a.host}` : a.name, body: a.summary ?? '', href: at('/alerts', { alert: a.id }), tag };
  }
  const counts = new Map<string, Alert[]>();
  for (const a of list) counts.set(a.name, [...(counts.get(a.name) ?? []), a]);
  const groups = [...counts].sort(([, a], [, b]) => b.length - a.length);
  const title = groups.length === 1 ? `${groups[0][0]}: ${list.length} alerts` : `${list.length} alerts fire`;
  const lines = groups.slice(0, names).map(([name, of]) => (groups.length === 1 ? hostsText(of) : `${name}: ${hostsText(of)}`));
  if (groups.length > names) lines.push(`and ${groups.length - names} others`);
  return { title, body: lines.join('\n'), href: '/alerts', tag };
}

function hostsText(list: Alert[]): string {
  const hosts = [...new Set(list.map((a) => a.host || 'no host'))];
  const rest = hosts.length - names;
  return hosts.slice(0, names).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
