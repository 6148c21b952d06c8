// Texts about alerts. Pure.

import type { Alert, Silence, TellNote } from './wire.gen.ts';

/** Who was told, and who could not be reached. */
export function toldText(told: TellNote[] | undefined): string {
  return (told ?? [])
    .map(({ receiver, at_ms, failed }) => {
      const name = receiver.split('/')[0];
      return failed ? `${name} (failed: ${failed})` : at_ms ? name : `${name} (under way)`;
    })
    .join(', ');
}

/** Why nobody is told. */
export function mutedText(a: Alert): string {
  const silenced = (a.silenced_by ?? []).map((s) => `${s.ack ? 'acknowledged' : s.maintenance ? 'maintenance' : 'silenced'} by ${s.by}`);
  const shut = (a.shut_hours ?? []).map((h) => {
    const names = (word: string, list: string[] | undefined): string[] => (list?.length ? [`${word} ${list.join(' and ')}`] : []);
    return `${[...names('in', h.intervals), ...names('outside', h.outside)].join(', ')} for ${h.receiver}`;
  });
  return [...silenced, ...(a.inhibited_by ?? []).map((name) => `while ${name} fires`), ...shut].join(', ');
}

/** The matchers of a silence for one alert, and for similar ones on the same host. */
export function matchersOf(a: Alert): string[] {
  const quote = (text: string): string => JSON.stringify(text);
  return [`alertname=${quote(a.name)}`, ...(a.host ? [`host=${quote(a.host)}`] : [])];
}

/** When a silence ends. */
export function untilText(s: Silence, exact: (ms: number) => string, offset: number): string {
  return s.ack ? 'until it has ended' : `until ${exact(s.to_ms + offset)}`;
}
