import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Code, RpcError } from '../lib/rpc.ts';
import { Past } from './past.ts';
import { Store, type HostModel } from './store.ts';
import type { HistoryRange, Series } from './wire.ts';

const t0 = 1_700_000_000_000;
const minute = 60_000;

interface Params {
  pattern: string;
  from_ms: number;
  to_ms: number;
  points: number;
}

/** A master's history of one series that has a sample each `step` ms: its value is its time in seconds. */
class FakeHistory {
  calls: Params[] = [];
  step = 1_000;
  since = t0 - 48 * 60 * minute;
  error: RpcError | null = null;
  most = 60_000;
  declared: Omit<Series, 'id'>[] = [{ host: 'h', key: 'a/b' }];

  async call<T>(_: string, params: object): Promise<T> {
    const p = params as Params;
    this.calls.push(p);
    if (this.error) throw this.error;
    return this.answer(p) as T;
  }

  private answer(p: Params): HistoryRange {
    const n = this.declared.length;
    const points = Math.min(p.points, Math.floor((this.most / n - 1) / 2));
    const out: HistoryRange = { from_ms: p.from_ms, to_ms: p.to_ms, points, series: [], t: [], s: [], v: [] };
    const width = (p.to_ms - p.from_ms + 1) / points;
    this.declared.forEach((d, i) => {
      out.series!.push({ ...d, id: i + 1 });
      for (const t of this.times(p, width)) {
        out.t.push(t);
        out.s.push(i + 1);
        out.v.push(t / 1000);
      }
    });
    return out;
  }

  /** The first and the last of each column: the values only grow. */
  private times(p: Params, width: number): number[] {
    const all: number[] = [];
    const begin = Math.max(p.from_ms, this.since);
    const end = Math.min(p.to_ms, Date.now());
    for (let t = Math.ceil(begin / this.step) * this.step; t <= end; t += this.step) all.push(t);
    const column = (t: number): number => Math.floor((t - p.from_ms) / width);
    return all.filter((t, i) => column(t) !== column(all[i - 1]) || column(t) !== column(all[i + 1]));
  }
}

let history: FakeHistory;
let store: Store;
let past: Past;
let shown: { list: HostModel[]; span: number; grain: number; refreshed: number };

const host = (): HostModel => store.get('h')!;
const track = (key = 'a/b') => host().byId.get(key)!.track;
const times = (): number[] => Array.from(track().times.subarray(track().start, track().end));

/** A sample that comes live now. */
function live(first = false): void {
  const t = Math.floor(Date.now() / 1000) * 1000;
  const series = first ? [{ id: 1, host: 'h', key: 'a/b' }] : undefined;
  store.apply({ subscription: 1, series, t: [t], s: [1], v: [t / 1000] });
}

async function seconds(n: number, silent = false): Promise<void> {
  for (let i = 0; i < n; i++) {
    await vi.advanceTimersByTimeAsync(1_000);
    if (!silent) live();
  }
}

/** The page is connected. */
function connect(): void {
  store.restart();
  past.up();
  live(true);
}

beforeEach(() => {
  vi.useFakeTimers({ now: t0 + 300 });
  history = new FakeHistory();
  store = new Store();
  store.setHost({ host: 'h', state: 'up', since_ms: 0, last_seen_ms: 0, skew_ms: 0, series: 1, samples: 0 });
  shown = { list: [host()], span: 2 * minute, grain: 0, refreshed: 0 };
  past = new Past(history, store, {
    hosts: () => shown.list,
    get span() {
      return shown.span;
    },
    get grain() {
      return shown.grain;
    },
    edgeOf: () => Date.now(),
    place: '',
    get reach() {
      return shown.span;
    },
    refresh: () => shown.refreshed++,
  });
  past.start();
});

afterEach(() => {
  past.stop();
  vi.useRealTimers();
});

describe('a page that opens', () => {
  test('has the window in one call, each sample once, and goes on without a seam', async () => {
    connect();
    await seconds(30);
    expect(history.calls.length).toBe(1);
    const all = times();
    expect(all[0]).toBeLessThanOrEqual(t0 - 2 * minute);
    expect(all.at(-1)).toBe(t0 + 30_000);
    all.slice(1).forEach((t, i) => expect(t - all[i]).toBe(1_000));
    expect(track().lastValue).toBe(all.at(-1)! / 1000);
    expect(shown.refreshed).toBe(1);
  });

  test('asks for what a longer window shows more, and for nothing when it is shorter again', async () => {
    connect();
    await seconds(2);
    shown.span = 15 * minute;
    await seconds(3);
    const [, more] = history.calls;
    expect(history.calls.length).toBe(2);
    expect(more.to_ms).toBeLessThan(t0 - 2 * minute);
    expect(more.from_ms).toBeLessThanOrEqual(t0 - 15 * minute);
    shown.span = minute;
    await seconds(3);
    expect(history.calls.length).toBe(2);
    times().forEach((t, i, all) => i > 0 && expect(t - all[i - 1]).toBe(1_000));
  });

  test('asks for nothing that is off the screen, nor before the host is known', async () => {
    shown.list = [];
    connect();
    await seconds(5);
    expect(history.calls).toEqual([]);
    shown.list = [store.get('h')!];
    await seconds(2);
    expect(history.calls.length).toBe(1);
  });

  test('asks on the clock of the host', async () => {
    store.setHost({ ...host().info.value!, skew_ms: -10 * minute });
    connect();
    await seconds(1, true);
    expect(history.calls[0].to_ms).toBeLessThan(t0 - 9 * minute);
    expect(history.calls[0].from_ms).toBeLessThanOrEqual(t0 - 12 * minute);
  });
});

describe('after a link that was down', () => {
  test('the gap is asked for and nothing else', async () => {
    connect();
    await seconds(60);
    past.down();
    await seconds(40, true);
    expect(history.calls.length).toBe(1);
    connect();
    await seconds(3);
    expect(history.calls.length).toBe(2);
    expect(history.calls[1].from_ms).toBeGreaterThan(t0 + 20_000);
    expect(history.calls[1].from_ms).toBeLessThan(t0 + 58_000);
    times().forEach((t, i, all) => i > 0 && expect(t - all[i - 1]).toBe(1_000));
  });

  test('so it is after live samples were lost', async () => {
    connect();
    await seconds(30);
    await seconds(4, true);
    past.lost();
    await seconds(8);
    expect(history.calls.length).toBe(2);
    times().forEach((t, i, all) => i > 0 && expect(t - all[i - 1]).toBe(1_000));
  });
});

describe('what does not fit', () => {
  test('is asked for in parts, the newest first, each sample of each', async () => {
    history.declared = Array.from({ length: 400 }, (_, i) => ({ host: 'h', key: `a/${i}` }));
    connect();
    await seconds(5);
    expect(history.calls.length).toBeGreaterThan(1);
    const whole = history.calls.slice(1); // the first was the one that told how many there are
    for (let i = 1; i < whole.length; i++) expect(whole[i].to_ms).toBeLessThan(whole[i - 1].to_ms);
    for (const key of ['a/0', 'a/399']) {
      const { start, end, times: list } = track(key);
      expect(end - start).toBeGreaterThanOrEqual(121);
      for (let i = start + 1; i < end; i++) expect(list[i] - list[i - 1]).toBe(1_000);
    }
  });

  test('series that come more often than was thought are asked for more finely', async () => {
    history.step = 250;
    connect();
    await seconds(3, true);
    const all = times();
    expect(all.length).toBeGreaterThan(480);
    all.slice(1).forEach((t, i) => expect(t - all[i]).toBe(250));
    expect(history.calls.length).toBe(2);
  });

  test('hosts of thousands of series are asked for chart by chart', async () => {
    store.setHost({ ...host().info.value!, series: 5_000 });
    connect();
    await seconds(2);
    expect(history.calls.map((c) => c.pattern)).toEqual(['metrics/h/a*']);
  });
});

describe('a long window', () => {
  beforeEach(() => {
    shown.span = 60 * minute;
    shown.grain = 10_000;
  });

  test('comes thinned, in columns that are aligned, and its end from time to time', async () => {
    connect();
    await seconds(10);
    expect(history.calls.length).toBe(1);
    const [first] = history.calls;
    expect(first.from_ms % 10_000).toBe(0);
    expect((first.to_ms + 1 - first.from_ms) / first.points).toBe(10_000);
    const { past: thin } = host().byId.get('a/b')!;
    expect(thin!.length).toBeGreaterThan(700);
    expect(thin!.length).toBeLessThan(740);
    await seconds(120);
    expect(history.calls.length).toBeGreaterThanOrEqual(4);
    expect(history.calls.length).toBeLessThanOrEqual(6);
    expect(history.calls.at(-1)!.points).toBeLessThan(8);
    expect(track().length).toBeLessThan(140); // what came live is not touched
  });

  test('that is left is forgotten', async () => {
    connect();
    await seconds(3);
    shown.span = 2 * minute;
    shown.grain = 0;
    await seconds(3);
    expect(host().byId.get('a/b')!.past).toBeNull();
    expect(times()[0]).toBeLessThanOrEqual(t0 - 2 * minute);
  });

  test('is asked for in parts too, back to its beginning', async () => {
    history.declared = Array.from({ length: 400 }, (_, i) => ({ host: 'h', key: `a/${i}` }));
    connect();
    await seconds(5);
    const { past: thin } = host().byId.get('a/7')!;
    expect(thin!.times[thin!.start]).toBeLessThanOrEqual(t0 - 59 * minute);
    for (let i = thin!.start + 1; i < thin!.end; i++) {
      expect(thin!.times[i] - thin!.times[i - 1]).toBeLessThanOrEqual(20_000);
    }
  });

  test('has its gap filled after a link that was down', async () => {
    connect();
    await seconds(5);
    past.down();
    await seconds(20, true);
    connect();
    await seconds(1);
    expect(history.calls.length).toBe(2);
    expect(host().byId.get('a/b')!.past!.lastTime).toBeGreaterThan(t0 + 22_000);
  });

  test('lets go of hosts that are long off the screen', async () => {
    connect();
    await seconds(3);
    shown.list = [];
    await seconds(70);
    expect(host().byId.get('a/b')!.past).toBeNull();
    shown.list = [host()];
    await seconds(2);
    expect(host().byId.get('a/b')!.past!.length).toBeGreaterThan(700);
  });
});

describe('a master without a history', () => {
  test('is asked once for each connection', async () => {
    history.error = new RpcError(Code.noMethod, 'no such method');
    connect();
    await seconds(100);
    expect(history.calls.length).toBe(1);
    expect(track().length).toBe(101);
    past.down();
    connect();
    await seconds(5);
    expect(history.calls.length).toBe(2);
  });

  test('that is busy is asked again when it says, one with an error less and less', async () => {
    history.error = new RpcError(Code.busy, 'opening', { retry_after_ms: 20_000 });
    connect();
    await seconds(15);
    expect(history.calls.length).toBe(1);
    history.error = new RpcError(-32603, 'broken');
    await seconds(100);
    expect(history.calls.length).toBeLessThan(7);
    history.error = null;
    await seconds(61);
    expect(times()[0]).toBeLessThanOrEqual(t0 + 60_000);
    times().forEach((t, i, all) => i > 0 && expect(t - all[i - 1]).toBe(1_000));
  });
});

test('a pattern that matches another host brings nothing of it', async () => {
  history.declared = [{ host: 'h', key: 'a/b' }, { host: 'h2', key: 'a/b' }];
  connect();
  await seconds(2);
  expect(store.get('h2')).toBeUndefined();
});
