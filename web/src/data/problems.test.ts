import { describe, expect, test } from 'vitest';
import { byHost, problemsOf, type HostFacts, type Situation } from './problems.ts';
import type { Host, HostReceipt, InspectorStatus, Rollout } from './wire.ts';

const now = 1_800_000_000_000;
const minute = 60_000;

function inspector(name: string, values: Partial<InspectorStatus> = {}): InspectorStatus {
  const counts = { runs: 1, failures: 0, timeouts: 0, missed: 0, crashes: 0 };
  return { name, kind: 'script', revision: 'r', interval_ms: 1000, state: 'ok', since_ms: now - 5 * minute, ...counts, ...values };
}

function host(name: string, values: Partial<Host> = {}, facts: Partial<HostFacts> = {}): HostFacts {
  const info: Host = {
    host: name,
    state: 'up',
    since_ms: now - 60 * minute,
    last_seen_ms: now,
    skew_ms: 0,
    version: '1.0.0',
    series: 10,
    samples: 100,
    agent: { reports_queued: 0, samples_dropped: 0 },
    inspectors: [inspector('cpu'), inspector('load')],
    ...values,
  };
  return { info, offset: 0, heardAt: now - 500, droppedAt: 0, ...facts };
}

function situation(hosts: HostFacts[], values: Partial<Situation> = {}): Situation {
  return { hosts, catalog: [], receipts: [], rollouts: [], masterOffset: 0, masterVersion: '1.0.0', listening: true, now, ...values };
}

const titles = (s: Situation): string[] => problemsOf(s).map((p) => p.title);

describe('a fleet that is well', () => {
  test('has no problem', () => {
    expect(problemsOf(situation([host('a'), host('b')]))).toEqual([]);
  });
  test('nor has one whose hosts report rarely, or by single calls, or start', () => {
    const slow = host('slow', { inspectors: [inspector('daily', { interval_ms: 600_000 })] }, { heardAt: now - 9 * minute });
    const simple = host('simple', { simple: true, inspectors: undefined }, { heardAt: now - 60 * minute });
    const starting = host('starting', { inspectors: [inspector('x', { state: 'starting' })] });
    expect(titles(situation([slow, simple, starting]))).toEqual([]);
  });
});

describe('each trouble', () => {
  test.each<[string, HostFacts, string]>([
    ['gone', host('a', { state: 'gone' }), 'a is gone'],
    ['late', host('a', {}, { heardAt: now - minute }), 'a is late'],
    ['not kept', host('a', { not_kept: 'the disk is nearly full' }), 'the history does not keep what a reports'],
    ['failing', host('a', { inspectors: [inspector('cert', { state: 'failing', error: 'x' })] }), 'cert failing on a'],
    ['quarantined', host('a', { inspectors: [inspector('cert', { state: 'quarantined' })] }), 'cert quarantined on a'],
    ['starved', host('a', { inspectors: [inspector('cert', { state: 'starved' })] }), 'cert starved on a'],
    ['a starved host', host('a', { agent: { reports_queued: 0, samples_dropped: 0, starved: 'no cpu' } }), 'a is starved'],
    ['drops', host('a', {}, { droppedAt: now - minute }), 'a dropped samples'],
    ['queue', host('a', { agent: { reports_queued: 500, samples_dropped: 0 } }), 'reports wait on a'],
    ['clock', host('a', { skew_ms: -60_000 }), 'the clock of a is off'],
    ['version', host('a', { version: '0.9.0' }), 'a runs another version'],
  ])('%s', (_, facts, title) => {
    expect(titles(situation([facts, host('well')]))).toEqual([title]);
  });

  test('of several hosts it is told in the plural', () => {
    const off = ['a', 'b'].map((name) => host(name, { skew_ms: -60_000, version: '0.9.0' }));
    expect(titles(situation([...off, host('well')]))).toEqual(['the clocks of 2 of 3 hosts are off', '2 of 3 hosts run another version']);
  });

  test('what a host that is gone said is old, and is not told', () => {
    const gone = host('a', { state: 'gone', skew_ms: 99_000, inspectors: [inspector('x', { state: 'failing' })] }, { heardAt: 1 });
    expect(titles(situation([gone]))).toEqual(['a is gone']);
  });

  test('silence means nothing before the page has listened for a while', () => {
    const silent = host('a', {}, { heardAt: now - minute });
    expect(titles(situation([silent], { listening: false }))).toEqual([]);
  });

  test('a starved host is told once, not once for each inspector', () => {
    const starved = host('a', {
      agent: { reports_queued: 0, samples_dropped: 0, starved: 'no processor' },
      inspectors: [inspector('x', { state: 'starved' }), inspector('y', { state: 'starved' })],
    });
    expect(titles(situation([starved]))).toEqual(['a is starved']);
  });
});

describe('what was pushed', () => {
  const summary = { hosts: 300, healthy: 2, failed: 0, refused: 298, pending: 0 };
  const entry = { name: 'cert', current: 'r', selector: '', kind: 'script', version: '1', author: 'anna', at_ms: 1, summary };
  const refused = (name: string, state = 'refused'): HostReceipt => ({
    host: name,
    host_state: 'up',
    inspector: 'cert',
    revision: 'r',
    state,
    reason: name === 'h7' ? 'not signed' : 'the policy allows no net',
    at_ms: now - minute,
  });

  test('refused on most hosts is one problem, with its reasons', () => {
    const hosts = Array.from({ length: 300 }, (_, i) => host(`h${i}`));
    const receipts = hosts.slice(0, 298).map((h) => refused(h.info.host));
    const [p, ...others] = problemsOf(situation(hosts, { catalog: [entry], receipts }));
    expect(others).toEqual([]);
    expect(p.title).toBe('cert refused on 298 of 300 hosts');
    expect(p.reasons).toEqual([
      { text: 'the policy allows no net', hosts: 297 },
      { text: 'not signed', hosts: 1 },
    ]);
    expect([p.kind, p.since, p.hosts[2]]).toEqual(['refused', now - minute, 'h2']);
  });

  test('failed there and failing here is one trouble', () => {
    const a = host('a', { inspectors: [inspector('cert', { state: 'failing', error: 'x' })] });
    expect(titles(situation([a], { receipts: [refused('a', 'failed')] }))).toEqual(['cert failing on a']);
  });
});

describe('rollouts', () => {
  const rollout = (id: string, values: Partial<Rollout>): Rollout => {
    const base = { inspector: 'cert', action: 'push', from: '', to: 'r', from_selector: '', to_selector: '', author: 'anna', plan: {}, stage: 0, stages: [] };
    return { id, state: 'done', started_ms: now - minute, ...base, ...values };
  };
  test('taken back is told until the inspector is pushed again, or a day', () => {
    const back = rollout('1', { state: 'rolled back', finished_ms: now - minute, reason: '1 of 2 hosts failed' });
    expect(titles(situation([], { rollouts: [back] }))).toEqual(['cert was rolled back']);
    expect(titles(situation([], { rollouts: [back, rollout('2', { started_ms: now })] }))).toEqual([]);
    expect(titles(situation([], { rollouts: [{ ...back, started_ms: 1, finished_ms: 2 }] }))).toEqual([]);
    expect(titles(situation([], { rollouts: [rollout('3', { state: 'paused' })] }))).toEqual(['the rollout of cert is paused']);
  });
});

test('the worst comes first', () => {
  const list = problemsOf(
    situation([
      host('a', { version: '0.1' }),
      host('b', { state: 'gone' }),
      host('c', { inspectors: [inspector('x', { state: 'failing' })] }),
      host('d', { inspectors: [inspector('y', { state: 'failing' })] }),
      host('e', { inspectors: [inspector('y', { state: 'failing' }), inspector('z', { state: 'quarantined' })] }),
    ]),
  );
  expect(list.map((p) => p.id)).toEqual(['gone ', 'quarantined z', 'failing y', 'failing x', 'version ']);
  expect(list.find((p) => p.id === 'failing y')!.title).toBe('y failing on 2 of 2 hosts');
});

test('of any fleet, each host that has a trouble is named and no other', () => {
  const chance = (p: number): boolean => Math.random() < p;
  for (let round = 0; round < 60; round++) {
    const sick = new Set<string>();
    const hosts = Array.from({ length: 300 }, (_, i) => {
      const name = `host-${i}`;
      const states = ['failing', 'quarantined', 'starved', 'ok'] as const;
      const inspectors = ['cpu', 'load', 'cert'].map((n) => inspector(n, { state: chance(0.1) ? states[i % 4] : 'ok', error: `e${i % 3}` }));
      const h = host(
        name,
        { state: chance(0.05) ? 'gone' : 'up', skew_ms: chance(0.05) ? 9_000 : 0, version: chance(0.05) ? '0.1' : '1.0.0', inspectors },
        { heardAt: chance(0.05) ? now - minute : now },
      );
      const bad = inspectors.some((x) => x.state !== 'ok') || h.info.skew_ms > 0 || h.info.version !== '1.0.0';
      const silent = h.heardAt !== now && inspectors.some((x) => x.state === 'ok');
      if (h.info.state === 'gone' || bad || silent) sick.add(name);
      return h;
    });
    const list = problemsOf(situation(hosts));
    expect(new Set(list.flatMap((p) => p.hosts))).toEqual(sick);
    expect(new Set(byHost(list).keys())).toEqual(sick);
    expect(new Set(list.map((p) => p.id)).size).toBe(list.length);
    for (const p of list) {
      expect(new Set(p.hosts).size).toBe(p.hosts.length);
      for (const r of p.reasons) expect(r.hosts).toBeLessThanOrEqual(p.hosts.length);
    }
  }
});
