import { expect, test } from 'vitest';
import { Store } from './store.ts';
import { Trial, type TrialReport } from './trial.ts';
import type { TrialRun } from './wire.gen.ts';

function fixture(answer: (method: string, params: any) => unknown) {
  let told: (method: string, params: any) => void = () => {};
  const calls: string[] = [];
  const rpc = {
    call: async <T>(method: string, params: object): Promise<T> => {
      calls.push(method);
      return answer(method, params) as T;
    },
    hear: (listener: typeof told) => {
      told = listener;
      return () => (told = () => {});
    },
  };
  const trial = new Trial(rpc, new Store(), () => 1000);
  return { trial, calls, tell: (r: Partial<TrialReport>) => told('trial', { host: 'a', trial: 't1', ...r }) };
}

const run = (samples: TrialRun['samples']): TrialRun => ({ ts: Date.now(), duration_seconds: 0, cpu_seconds: 0, samples });

test('what a trial yields, prints and costs is seen by host', async () => {
  const { trial, tell, calls } = fixture((m) => (m === 'trials.start' ? { trial: 't1', hosts: ['a', 'b'], away: ['c'] } : {}));
  await trial.start({ name: '', source: 'x' }, { selector: '' }, 10_000);
  expect(trial.phase.value).toBe('running');
  expect(trial.away.value).toEqual(['c']);
  tell({ state: 'loaded' });
  tell({ run: run([{ ts: Date.now(), key: 'x/a', val: 4, labels: null }]), cost: { runs: 1, failures: 0, duration_seconds: 1, cpu_seconds: 1, series: 1 } });
  tell({ lines: ['hello'] });
  tell({ host: 'b', state: 'refused', error: 'not here', ended: true });
  tell({ trial: 'another', lines: ['not ours'] });
  expect(trial.hosts.value.map((h) => [h.host, h.state, h.error, h.values.length])).toEqual([
    ['a', 'healthy', '', 1],
    ['b', 'refused', 'not here', 0],
  ]);
  expect(trial.lines.value).toEqual([{ host: 'a', text: 'hello' }]);
  expect(trial.chart.host.charts.value.length).toBe(1);
  expect(trial.phase.value).toBe('running');
  tell({ ended: true });
  expect(trial.phase.value).toBe('ended');
  await trial.stop();
  expect(calls).toEqual(['trials.start']);
});

test('a run that fails has its error, which a good run takes away', async () => {
  const { trial, tell } = fixture(() => ({ trial: 't1', hosts: ['a'] }));
  await trial.start({ name: '', source: 'x' }, { hosts: ['a'] }, 1000);
  tell({ run: { ...run(null), error: 'x.go:3:1: no' } });
  expect(trial.hosts.value[0]).toMatchObject({ state: 'failed', error: 'x.go:3:1: no' });
  tell({ run: run([]) });
  expect(trial.hosts.value[0]).toMatchObject({ state: 'healthy', error: '' });
  tell({ run: { ...run([]), more: 5 } });
  expect(trial.hosts.value[0]).toMatchObject({ state: 'healthy', error: '5 values more are left out' });
});

test('events that overtake the answer are not lost', async () => {
  const f = fixture(() => {
    f.tell({ lines: ['early'] });
    return { trial: 't1', hosts: ['a'] };
  });
  await f.trial.start({ name: '', source: 'x' }, { hosts: ['a'] }, 1000);
  expect(f.trial.lines.value.map((l) => l.text)).toEqual(['early']);
});

test('a refusal has the faults of the code', async () => {
  const { trial } = fixture(() => {
    throw Object.assign(new Error('bad'), { data: { diagnostics: [{ file: 'x.go', line: 1, col: 2, message: 'm' }] } });
  });
  await trial.start({ name: '', source: 'x' }, { hosts: ['a'] }, 1000);
  expect([trial.phase.value, trial.error.value, trial.faults.value.length]).toEqual(['ended', 'bad', 1]);
});
