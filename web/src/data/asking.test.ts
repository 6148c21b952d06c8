import { expect, test, vi } from 'vitest';
import { answerOf, Asking, whoToAsk } from './asking.ts';
import { RpcError } from '../lib/rpc.ts';

const sample = (val: number | null, labels = {}) => ({ key: 'probe', val, labels, ts: 1 });
const run = (samples: unknown[], extra = {}) => ({ ts: 1, duration_seconds: 0, cpu_seconds: 0, samples, ...extra });

/** A master whose hosts answer when the test says so. */
function fake(hosts: { host: string; state: string; simple?: boolean }[], start?: (p: { hosts: string[] }) => unknown) {
  let listener: (method: string, params: unknown) => void = () => {};
  const calls: [string, any][] = [];
  let trials = 0;
  const rpc = {
    call: async (method: string, params: any): Promise<any> => {
      calls.push([method, params]);
      if (method === 'hosts.list') return { hosts };
      if (method === 'trials.start') return start ? start(params) : { trial: `t${++trials}`, hosts: params.hosts };
      return {};
    },
    hear: (l: typeof listener) => ((listener = l), () => {}),
  };
  return { rpc, calls, tell: (e: object) => listener('trial', { trial: `t${trials || 1}`, ...e }), count: () => trials };
}

test('hosts that cannot be asked are named with why', () => {
  expect(whoToAsk([{ host: 'a', state: 'up' }, { host: 'b', state: 'gone' }, { host: 'c', state: 'up', simple: true }])).toEqual({
    up: ['a'],
    silent: [{ host: 'b', why: 'it is gone' }, { host: 'c', why: 'it reports by single calls, and runs no code' }],
  });
});

test('an event is an answer, or there is more to come', () => {
  const event = (e: object) => answerOf({ trial: 't', host: 'a', ...e } as never);
  expect(event({ state: 'verified' })).toBeNull();
  expect(event({ run: run([sample(1), sample(null)]) })).toEqual({ rows: [{ host: 'a', key: 'probe', labels: {}, value: 1 }], why: '' });
  expect(event({ run: run([sample(1)], { more: 2 }) })!.why).toBe('2 of its 3 values are left out');
  expect(event({ run: run([], { error: 'no such file' }) })!.why).toBe('no such file');
  expect(event({ ended: true })!.why).toBe('it did not answer in time');
  expect(event({ ended: true, error: 'not signed' })!.why).toBe('not signed');
});

test('all hosts are asked once, and each answers or is named, in any order', async () => {
  // 2,500 hosts in three trials; their events come shuffled, some before the answer of the master.
  let state = 5;
  const random = (n: number): number => (state = (state * 16807) % 2147483647) % n;
  const hosts = Array.from({ length: 2500 }, (_, i) => ({ host: `h${i}`, state: i % 100 === 7 ? 'gone' : 'up' }));
  const want = new Map<string, string>();
  let trials = 0;
  const events: object[] = [];
  const master = fake(hosts, ({ hosts }) => {
    const trial = `t${++trials}`;
    const mine = hosts.flatMap((host): object[] => {
      const kind = random(3);
      want.set(host, ['value', 'error', 'end'][kind]);
      const state = { trial, host, state: 'verified' };
      if (kind === 0) return [state, { trial, host, run: run([sample(random(9))]) }, { trial, host, run: run([sample(99)]) }];
      return kind === 1 ? [state, { trial, host, run: run([], { error: 'broken' }) }] : [state, { trial, host, ended: true }];
    });
    mine.sort(() => random(3) - 1);
    for (const e of mine.splice(0, 10)) master.tell(e);
    events.push(...mine);
    queueMicrotask(() => setTimeout(() => events.splice(0).forEach((e) => master.tell(e))));
    return { trial, hosts };
  });
  const asking = new Asking(master.rpc);
  await asking.start({ source: 'x' } as never, '', 1000);
  expect(asking.phase.value).toBe('done');
  expect(asking.asked.value).toBe(2500);
  const rows = new Set(asking.rows.value.map((r) => r.host));
  expect(asking.rows.value.length).toBe(rows.size);
  const silent = new Map(asking.silent.value.map((s) => [s.host, s.why]));
  expect(rows.size + silent.size).toBe(2500);
  for (const [host, kind] of want) {
    if (kind === 'value') expect(rows.has(host)).toBe(true);
    else expect(silent.get(host)).toBe(kind === 'error' ? 'broken' : 'it did not answer in time');
  }
  expect(master.calls.filter(([m]) => m === 'trials.start').map(([, p]) => p.hosts.length)).toEqual([1000, 1000, 475]);
  expect(master.calls.filter(([m]) => m === 'trials.stop').length).toBe(3);
});

test('who stops it, or loses the connection, is told which hosts had not answered', async () => {
  for (const lost of [false, true]) {
    const master = fake([{ host: 'a', state: 'up' }, { host: 'b', state: 'up' }]);
    const asking = new Asking(master.rpc);
    const done = asking.start({ source: 'x' } as never, 'role=db', 1000);
    await vi.waitFor(() => expect(asking.awaited.value).toBe(2));
    await vi.waitFor(() => expect(master.calls.some(([m]) => m === 'trials.start')).toBe(true));
    await Promise.resolve();
    master.tell({ host: 'a', run: run([sample(1)]) });
    await (lost ? asking.lost() : asking.stop());
    await done;
    expect(asking.rows.value.map((r) => r.host)).toEqual(['a']);
    expect(asking.silent.value.map((s) => s.host)).toEqual(['b']);
    expect(asking.silent.value[0].why).toMatch(lost ? /connection was lost/ : /stopped/);
    expect(master.calls.some(([m]) => m === 'trials.stop')).toBe(!lost);
    expect(master.calls[0][1]).toEqual({ selector: 'role=db' });
  }
});

test('what the master refuses is told, with the faults in the code', async () => {
  const diagnostics = [{ file: '', line: 1, col: 2, message: 'no' }];
  const master = fake([{ host: 'a', state: 'up' }], () => {
    throw new RpcError(-32602, 'a.go:1:2: no', { diagnostics });
  });
  const asking = new Asking(master.rpc);
  await asking.start({ source: 'x' } as never, '', 1000);
  expect([asking.error.value, asking.faults.value, asking.phase.value]).toEqual(['a.go:1:2: no', diagnostics, 'done']);
  const away = fake([{ host: 'a', state: 'up' }], () => {
    throw new RpcError(-32009, 'none of the hosts is connected: a');
  });
  const second = new Asking(away.rpc);
  await second.start({ source: 'x' } as never, '', 1000);
  expect(second.silent.value).toEqual([{ host: 'a', why: 'none of the hosts is connected: a' }]);
  const nobody = new Asking(fake([]).rpc);
  await nobody.start({ source: 'x' } as never, 'role=x', 1000);
  expect(nobody.error.value).toBe('no host has the labels role=x');
});
