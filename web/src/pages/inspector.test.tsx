import { expect, test } from 'vitest';
import type { InspectorStatus } from '../data/wire.ts';
import { RpcError } from '../lib/rpc.ts';
import { shownPage, texts } from './fake-parts.ts';
import InspectorPage from './inspector.tsx';

const status = (state: string, error = ''): InspectorStatus =>
  ({ name: 'cpu', kind: 'script', revision: 'r', interval_ms: 1000, state, error, since_ms: 1, runs: 5, failures: 0, timeouts: 0, missed: 0, crashes: 0 }) as InspectorStatus;
const own = (hosts: object[]) => ({ 'catalog.get': new RpcError(-32004, 'no such inspector'), 'hosts.list': { hosts }, 'history.range': { from_ms: 0, to_ms: 1, points: 300, series: null, t: null, s: null, v: null } });
const more = { view: { refresh: () => {}, time: { range: { value: null }, window: { value: 60_000 } }, grain: 0 } };

test('of an inspector of the hosts the worst hosts come first, then by their names', async () => {
  const hosts = Array.from({ length: 12 }, (_, i) => ({ host: `web-${i}`, inspectors: [i === 7 ? status('failing', '<b>no</b>') : status('ok')] })).sort(() => Math.random() - 0.5);
  const { root } = await shownPage(InspectorPage, { answers: own(hosts), params: { name: 'cpu' }, more });
  expect(texts(root, '.count')).toEqual(['host’s own, on 12 hosts']);
  expect(texts(root, 'tbody th').map((t) => Number(t.slice(4)))).toEqual([7, 0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11]);
  expect(root.querySelector('tbody tr td:last-child')!.textContent).toBe('<b>no</b>');
});

test('one that nobody has says so', async () => {
  const { root } = await shownPage(InspectorPage, { answers: own([{ host: 'a', inspectors: [status('ok')] }]), params: { name: 'gpu' }, more });
  expect(root.querySelector('h1')!.textContent).toBe('No inspector gpu');
});

test('another error is told, and can be tried again', async () => {
  const { root, calls, press } = await shownPage(InspectorPage, { answers: { 'catalog.get': new Error('it is on fire') }, params: { name: 'cpu' }, more });
  expect(root.querySelector('[role="alert"]')!.textContent).toContain('it is on fire');
  const before = calls.length;
  await press('Try again');
  expect(calls.length).toBe(before + 1);
});
