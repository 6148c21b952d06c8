import { expect, test } from 'vitest';
import protocol from '../../../rpc/PROTOCOL.md?raw';
import { actions, changesOf, quiet, type Past } from './changes.ts';
import type { AuditEntry, Host, Rollout } from './wire.ts';

const hrefs = { host: (n: string) => `/h/${n}`, rollout: (id: string) => `/r/${id}` };
const host = (name: string, state: 'up' | 'gone', since_ms: number): Host => ({
  host: name,
  state,
  since_ms,
  last_seen_ms: 0,
  skew_ms: 0,
  series: 0,
  samples: 0,
});
const audit = (seq: number, at_ms: number, action: string, outcome = 'ok'): AuditEntry => {
  return { seq, at_ms, who: 'anna', role: 'operator', from: '', action, subject: 'cert', outcome };
};
const past = (values: Partial<Past>): Past => ({ hosts: [], rollouts: [], audit: [], masterOffset: 0, masterStarted: 0, ...values });
const rollout: Rollout = {
  id: '7',
  inspector: 'cert',
  action: 'push',
  from: '',
  to: 'r',
  from_selector: '',
  to_selector: '',
  state: 'rolled back',
  reason: '1 of 2 failed',
  author: 'anna',
  message: 'count too',
  plan: {},
  stage: 0,
  stages: [],
  started_ms: 1_000,
  finished_ms: 90_000,
};

test('a push and its way back are two changes, the newest first', () => {
  const list = changesOf(past({ rollouts: [rollout], masterOffset: 5 }), hrefs);
  expect(list.map((c) => [c.at, c.text, c.by, c.detail, c.href])).toEqual([
    [90_005, 'cert went back', '', '1 of 2 failed', '/r/7'],
    [1_005, 'cert pushed', 'anna', 'count too', '/r/7'],
  ]);
});

test('the audit log tells what rollouts do not, and what was refused', () => {
  const list = changesOf(past({ audit: [audit(1, 1, 'catalog.push'), audit(2, 2, 'hosts.label'), audit(3, 3, 'catalog.push', 'not allowed')] }), hrefs);
  expect(list.map((c) => [c.text, c.tone])).toEqual([
    ['push of cert was refused', 'warn'],
    ['labels of cert', 'plain'],
  ]);
});

test('hosts that come within a moment come as one', () => {
  const hosts = [...Array.from({ length: 50 }, (_, i) => host(`web-${i}`, 'up', 1_000_000 + i * 1000)), host('late', 'up', 2_000_000), host('x', 'gone', 1_500_000)];
  const list = changesOf(past({ hosts }), hrefs);
  expect(list.map((c) => c.text)).toEqual(['late came up', 'x went away', '50 hosts came up']);
  expect(list[2].detail).toBe('web-0, web-1, web-2, web-3, web-4 …');
});

test('there are never more than asked for, in order', () => {
  for (let i = 0; i < 50; i++) {
    const entries = Array.from({ length: 100 }, (_, n) => audit(n, Math.floor(Math.random() * 1e6), 'hosts.label'));
    const list = changesOf(past({ audit: entries }), hrefs, 30);
    expect(list.length).toBe(30);
    expect(list.every((c, n) => n === 0 || list[n - 1].at >= c.at)).toBe(true);
    expect(list[0].at).toBe(Math.max(...entries.map((e) => e.at_ms)));
  }
});

test('every audited method has words', () => {
  const audited = [...protocol.matchAll(/^\| `([a-z]+\.[A-Za-z]+)` \|.*Audited\. \|$/gm)].map((m) => m[1]);
  expect(audited.length).toBeGreaterThan(20);
  expect(audited.filter((a) => !(a in actions) && !quiet.includes(a))).toEqual([]);
});
