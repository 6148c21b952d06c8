import { signal } from '@preact/signals';
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { expect, test } from 'vitest';
import { HostModel } from '../data/store.ts';
import type { InspectorStatus } from '../data/wire.ts';
import { HostInspectors } from './host-inspectors.tsx';
import { labelFrom } from '../data/label.ts';
import { Labels } from './labels.tsx';

function setting(role: 'viewer' | 'operator', inspectors: Partial<InspectorStatus>[] = [], labels = {}) {
  const calls: [string, object][] = [];
  const host = new HostModel('h');
  const base = { kind: 'script', revision: '', interval_ms: 1000, state: 'ok', since_ms: 0, runs: 1, failures: 0, timeouts: 0, missed: 0, crashes: 0 };
  host.info.value = {
    host: 'h',
    state: 'up',
    since_ms: 0,
    last_seen_ms: 0,
    skew_ms: 0,
    series: 0,
    samples: 0,
    labels,
    inspectors: inspectors.map((i) => ({ ...base, ...i }) as InspectorStatus),
  };
  const session = {
    may: () => role === 'operator',
    look: async () => {},
    rpc: { call: async (method: string, params: object) => void calls.push([method, params]) },
  };
  const entry = { name: 'disk', current: 'abcdef0123', author: 'anna', at_ms: Date.now() - 60_000, message: 'count too' };
  const props = { host, session, fleet: { catalog: signal([entry]) } } as any;
  return { props, calls, root: document.createElement('div') };
}

test('a pushed inspector says so: revision, author, when', async () => {
  const { props, root } = setting('viewer', [{ name: 'disk', assigned: 'abcdef0123' }, { name: 'cpu' }, { name: 'old', assigned: '99999999ff' }]);
  await act(() => render(<HostInspectors {...props} />, root));
  const row = (name: string): string => root.querySelector(`[data-inspector="${name}"]`)!.textContent!;
  expect(row('disk')).toContain('pushed abcdef01by anna, 1 min ago');
  expect(row('cpu')).toContain('host’s own');
  expect(row('old')).toContain('pushed 99999999');
});

test('an operator releases what is in quarantine; a viewer is not offered it', async () => {
  const list: Partial<InspectorStatus>[] = [{ name: 'cpu' }, { name: 'queue', state: 'quarantined', error: 'crashed' }];
  const may = setting('operator', list);
  await act(() => render(<HostInspectors {...may.props} />, may.root));
  const buttons = [...may.root.querySelectorAll('button')];
  expect(buttons.length).toBe(1);
  await act(() => buttons[0].click());
  expect(may.calls).toEqual([['inspectors.release', { host: 'h', inspector: 'queue' }]]);
  const not = setting('viewer', list);
  await act(() => render(<HostInspectors {...not.props} />, not.root));
  expect(not.root.querySelectorAll('button').length).toBe(0);
});

test('labels are given and taken back by operators', async () => {
  const { props, calls, root } = setting('operator', [], { role: 'db' });
  await act(() => render(<Labels {...props} />, root));
  const field = root.querySelector('input')!;
  await act(() => {
    field.value = ' zone = a ';
    field.dispatchEvent(new Event('input', { bubbles: true }));
  });
  await act(() => void root.querySelector('form')!.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true })));
  await act(() => root.querySelector<HTMLButtonElement>('[aria-label="Remove the label role"]')!.click());
  expect(calls).toEqual([
    ['hosts.label', { host: 'h', labels: { zone: 'a' } }],
    ['hosts.label', { host: 'h', labels: { role: '' } }],
  ]);
  const viewer = setting('viewer', [], { role: 'db' });
  await act(() => render(<Labels {...viewer.props} />, viewer.root));
  expect([viewer.root.querySelectorAll('button, input').length, viewer.root.textContent]).toEqual([0, 'role=db']);
});

test.each([
  ['role=db', { name: 'role', value: 'db' }],
  ['a=b=c', { name: 'a', value: 'b=c' }],
  ['role', null],
  ['=db', null],
  ['role=', null],
  ['ro le=db', null],
  ['role=<b>', null],
])('%s is a label: %o', (text, label) => {
  expect(labelFrom(text)).toEqual(label);
});
