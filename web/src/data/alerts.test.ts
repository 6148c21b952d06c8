import { describe, expect, it } from 'vitest';
import { matchersOf, mutedText, toldText } from './alerts.ts';
import { alertProblems, loud } from './firing.ts';
import type { Alert, Silence } from './wire.gen.ts';

const silence: Silence = { id: 's', matchers: [], from_ms: 0, to_ms: 1, by: 'anna', state: 'active' };

function alert(name: string, host: string, more: Partial<Alert> = {}): Alert {
  return { id: name + host, name, host, labels: {}, state: 'firing', since_ms: 1000, summary: `${host} is bad`, ...more };
}

describe('alerts', () => {
  it('are one trouble for each name, with the first of their times', () => {
    const list = [alert('disk/filling', 'b', { since_ms: 900 }), alert('disk/filling', 'a'), alert('memory/nearly-gone', 'a', { severity: 'critical' })];
    const problems = alertProblems(list, 10);
    expect(problems.map((p) => [p.title, p.tone, p.hosts, p.since])).toEqual([
      ['disk/filling on 2 hosts', 'warn', ['a', 'b'], 910],
      ['memory/nearly-gone on a', 'bad', ['a'], 1010],
    ]);
  });

  it('are not told again of what the page tells itself, nor of what is muted', () => {
    const quiet = [
      alert('host/gone', 'a'),
      alert('inspector/failing', 'a'),
      alert('x', 'a', { silenced_by: [silence] }),
      alert('x', 'b', { inhibited_by: ['host/gone'] }),
      alert('x', 'c', { state: 'pending' }),
      alert('x', 'd', { state: 'ended' }),
    ];
    expect(alertProblems(quiet, 0)).toEqual([]);
    expect(loud(quiet)).toHaveLength(2);
    expect(loud([alert('x', 'a', { state: 'unknown' })])).toHaveLength(1);
  });

  it('say who was told and what mutes them', () => {
    expect(toldText([{ receiver: 'ops/email[0]', at_ms: 5 }, { receiver: 'hook/webhook[0]', failed: 'refused' }, { receiver: 'c/ntfy[0]' }])).toBe(
      'ops, hook (failed: refused), c (under way)',
    );
    expect(toldText(undefined)).toBe('');
    expect(mutedText(alert('x', 'a', { silenced_by: [silence, { ...silence, ack: true, by: 'ben' }], inhibited_by: ['host/gone'] }))).toBe(
      'silenced by anna, acknowledged by ben, while host/gone fires',
    );
    expect(mutedText(alert('x', 'a', { shut_hours: [{ receiver: 'ops', intervals: ['nights'], outside: ['office'] }] }))).toBe(
      'in nights, outside office for ops',
    );
  });

  it('give matchers that hold any name', () => {
    expect(matchersOf(alert('a"b\\c', 'web-1'))).toEqual(['alertname="a\\"b\\\\c"', 'host="web-1"']);
    expect(matchersOf(alert('x', ''))).toEqual(['alertname="x"']);
  });
});
