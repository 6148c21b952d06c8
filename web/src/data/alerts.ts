// What fires, in words and as troubles of the first page. Pure.

import { compareNames } from './names.ts';
import type { Problem } from './problems.ts';
import type { Alert, Silence, TellNote } from './wire.gen.ts';

/** Of these the page tells by itself, and sooner. */
const known = /^(host\/(gone|cannot-send|clock-off)|inspector\/(failing|quarantined))$/;

/** Alerts that fire, or of which nobody can tell, and that people are told of. */
export function loud(alerts: Alert[]): Alert[] {
  return alerts.filter((a) => (a.state === 'firing' || a.state === 'unknown') && !a.silenced_by?.length && !a.inhibited_by?.length);
}

/** What fires, one entry for each name; the offset leads from the master's clock to ours. */
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

/** Who was told, and who could not be. */
export function toldText(told: TellNote[] | undefined): string {
  return (told ?? [])
    .map(({ receiver, at_ms, failed }) => {
      const name = receiver.split('/')[0];
      return failed ? `${name} (failed: ${failed})` : at_ms ? name : `${name} (under way)`;
    })
    .join(', ');
}

/** What keeps people from being told. */
export function mutedText(a: Alert): string {
  const silenced = (a.silenced_by ?? []).map((s) => `${s.ack ? 'acknowledged' : 'silenced'} by ${s.by}`);
  return [...silenced, ...(a.inhibited_by ?? []).map((name) => `while ${name} fires`)].join(', ');
}

/** The matchers of a silence of one alert, and of its like on the same host. */
export function matchersOf(a: Alert): string[] {
  const quote = (text: string): string => JSON.stringify(text);
  return [`alertname=${quote(a.name)}`, ...(a.host ? [`host=${quote(a.host)}`] : [])];
}

/** When a silence ends. */
export function untilText(s: Silence, exact: (ms: number) => string, offset: number): string {
  return s.ack ? 'until it has ended' : `until ${exact(s.to_ms + offset)}`;
}
