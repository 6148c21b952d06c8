// Firing alerts as problems of the first page. Pure. The texts of the page of alerts
// are in alerts.ts, which is loaded with that page.

import { compareNames } from './names.ts';
import type { Problem } from './problems.ts';
import type { Alert } from './wire.gen.ts';

/** These are shown by the page itself, and sooner. */
const known = /^(host\/(gone|cannot-send|clock-off)|inspector\/(failing|quarantined))$/;

/** Alerts that fire or whose state is unknown, and that people are told about. */
export function loud(alerts: Alert[]): Alert[] {
  return alerts.filter((a) => (a.state === 'firing' || a.state === 'unknown') && !a.silenced_by?.length && !a.inhibited_by?.length);
}

/** The firing alerts, one entry for each name; the offset converts the master's clock to ours. */
export function alertProblems(alerts: Alert[], offset: number): Problem[] {
  const groups = new Map<string, Alert[]>();
  for (const a of loud(alerts)) if (!known.test(a.name)) groups.set(a.name, [...(groups.get(a.name) ?? []), a]);
  return [...groups].map(([name, list]): Problem => {
    const hosts = [...new Set(list.flatMap((a) => a.host || []))].sort(compareNames);
    const where = hosts.length === 0 ? '' : hosts.length === 1 ? ` on ${hosts[0]}` : ` on ${hosts.length} hosts`;
    const texts = [...new Set(list.flatMap((a) => a.summary || []))];
    return {
      id: `alert ${name}`,
      kind: 'alert',
      tone: list.some((a) => a.severity === 'critical') ? 'bad' : 'warn',
      subject: name,
      title: `${name}${where}`,
      reasons: texts.map((text) => ({ text, hosts: list.filter((a) => a.summary === text).length })),
      hosts,
      since: Math.min(...list.map((a) => a.since_ms)) + offset,
    };
  });
}
