import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { endpoint, Rpc, RpcError, type LinkState, type RpcOptions, type Socket } from './rpc.ts';

/** A socket whose other end is the test. */
class FakeSocket implements Socket {
  static all: FakeSocket[] = [];
  readyState = 0;
  onopen: ((e: any) => void) | null = null;
  onclose: ((e: any) => void) | null = null;
  onmessage: ((e: any) => void) | null = null;
  onerror: ((e: any) => void) | null = null;
  sent: any[] = [];
  closed: { code?: number; reason?: string } | null = null;

  constructor(
    readonly url: string,
    readonly protocol: string,
  ) {
    FakeSocket.all.push(this);
  }
  send(data: string): void {
    this.sent.push(JSON.parse(data));
  }
  close(code?: number, reason?: string): void {
    this.readyState = 3;
    this.closed = { code, reason };
  }
  // What the other end does:
  accept(): void {
    this.readyState = 1;
    this.onopen?.({});
  }
  say(message: unknown): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  answer(method: string, result: unknown): void {
    const call = [...this.sent].reverse().find((m) => m.method === method && m.id !== undefined);
    this.say({ jsonrpc: '2.0', id: call.id, result });
  }
  end(code = 1006, reason = ''): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}

const last = (): FakeSocket => FakeSocket.all[FakeSocket.all.length - 1];
const settle = (): Promise<void> => vi.advanceTimersByTimeAsync(0).then(() => {});

function make(options: Partial<RpcOptions> = {}): { rpc: Rpc; states: LinkState[] } {
  const states: LinkState[] = [];
  const rpc = new Rpc({
    url: 'ws://master/rpc',
    socket: (url, protocol) => new FakeSocket(url, protocol),
    onState: (s) => states.push(s),
    random: () => 0.5,
    ...options,
  });
  return { rpc, states };
}

async function live(options: Partial<RpcOptions> = {}) {
  const made = make(options);
  made.rpc.connect();
  last().accept();
  await settle();
  return made;
}

beforeEach(() => {
  FakeSocket.all = [];
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('calls', () => {
  test('resolve with the result', async () => {
    const { rpc } = await live();
    const call = rpc.call('master.info', { a: 1 });
    expect(last().sent[0]).toMatchObject({ jsonrpc: '2.0', method: 'master.info', params: { a: 1 } });
    last().answer('master.info', { name: 'm' });
    await expect(call).resolves.toEqual({ name: 'm' });
  });

  test('reject with code and data of an error', async () => {
    const { rpc } = await live();
    const call = rpc.call('x.y');
    last().say({ jsonrpc: '2.0', id: last().sent[0].id, error: { code: -32004, message: 'no', data: 7 } });
    await expect(call).rejects.toMatchObject({ code: -32004, message: 'no', data: 7 });
  });

  test('time out, tell the other end, and ignore a late answer', async () => {
    const { rpc } = await live();
    const call = rpc.call('x.y');
    const id = last().sent[0].id;
    const failed = expect(call).rejects.toThrow('Request timed out');
    await vi.advanceTimersByTimeAsync(10_000);
    await failed;
    expect(last().sent[1]).toEqual({ jsonrpc: '2.0', method: '$/cancel', params: { id } });
    last().answer('x.y', 1);
  });

  test('end with their signal', async () => {
    const { rpc } = await live();
    const abort = new AbortController();
    const call = rpc.call('x.y', undefined, { signal: abort.signal });
    abort.abort();
    await expect(call).rejects.toThrow('cancelled');
  });

  test('fail at once without a link, and when it is lost', async () => {
    const { rpc } = make();
    await expect(rpc.call('x.y')).rejects.toThrow('not connected');
    rpc.connect();
    last().accept();
    await settle();
    const call = rpc.call('x.y');
    last().end();
    await expect(call).rejects.toBeInstanceOf(RpcError);
  });

  test('from the master are answered: a browser has no methods', async () => {
    await live();
    last().say({ jsonrpc: '2.0', id: 'q', method: 'agent.stop' });
    expect(last().sent[0]).toMatchObject({ id: 'q', error: { code: -32601 } });
  });

  test('survive nonsense and batches', async () => {
    const { rpc } = await live();
    const [a, b] = [rpc.call('a.a'), rpc.call('b.b')];
    last().onmessage?.({ data: 'not json' });
    last().say(null);
    last().say([3, { jsonrpc: '2.0', id: 1, result: 'a' }, { jsonrpc: '2.0', id: 2, result: 'b' }]);
    await expect(Promise.all([a, b])).resolves.toEqual(['a', 'b']);
  });
});

describe('the link', () => {
  test('offers our protocol and becomes live after onOpen', async () => {
    const { rpc, states } = make({ onOpen: async (r) => void (await r.call('master.info')) });
    rpc.connect();
    expect(last()).toMatchObject({ url: 'ws://master/rpc', protocol: 'vedette.v1.json' });
    last().accept();
    await settle();
    expect(states.map((s) => s.kind)).toEqual(['connecting']);
    last().answer('master.info', {});
    await settle();
    expect(states.map((s) => s.kind)).toEqual(['connecting', 'live']);
  });

  test('comes back with full jitter, up to 30 s, and starts small again after a life', async () => {
    const { states } = await live({ random: () => 1 });
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      last().end();
      const state = states[states.length - 1];
      if (state.kind !== 'waiting') throw new Error(`state is ${state.kind}`);
      waits.push(state.retryAt - Date.now());
      await vi.advanceTimersByTimeAsync(waits[i]);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 30, 30, 30].map((s) => s * 1000));
    last().accept();
    await settle();
    last().end(); // too soon: it may be a master that dies at once
    expect(states[states.length - 1]).toMatchObject({ kind: 'waiting', attempt: 9 });
    await vi.advanceTimersByTimeAsync(30_000);
    last().accept();
    await vi.advanceTimersByTimeAsync(10_000);
    last().end();
    expect(states[states.length - 1]).toMatchObject({ kind: 'waiting', attempt: 1, retryAt: Date.now() + 1000 });
  });

  test('waits as long as a busy master asks', async () => {
    const { rpc, states } = make({
      onOpen: () => Promise.reject(new RpcError(-32029, 'busy', { retry_after_ms: 7_000 })),
    });
    rpc.connect();
    last().accept();
    await settle();
    expect(states[states.length - 1]).toMatchObject({ kind: 'waiting', retryAt: Date.now() + 7_500 });
  });

  test('stays away for as long as a closing master asks', async () => {
    const { states } = await live();
    last().end(1012, 'restarting; retry_after_ms=9000');
    expect(states[states.length - 1]).toMatchObject({ kind: 'waiting', retryAt: Date.now() + 9_500 });
  });

  test.each([4401, 4403, 4426])('stays down after close code %i', async (code) => {
    const { rpc, states } = await live();
    last().end(code, 'no');
    await vi.advanceTimersByTimeAsync(120_000);
    expect(FakeSocket.all).toHaveLength(1);
    expect(states[states.length - 1]).toEqual({ kind: 'refused', code, reason: 'no' });
    rpc.connect();
    expect(FakeSocket.all).toHaveLength(2);
  });

  test('counts as dead after 35 s of silence, not after 34', async () => {
    const { states } = await live();
    await vi.advanceTimersByTimeAsync(34_000);
    last().say({ jsonrpc: '2.0', method: 'heartbeat', params: { now_ms: 1 } });
    await vi.advanceTimersByTimeAsync(34_000);
    expect(states[states.length - 1].kind).toBe('live');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(states[states.length - 1].kind).toBe('waiting');
    expect(FakeSocket.all[0].closed).toMatchObject({ code: 4000 });
  });

  test('wakes: a waiting attempt is made now', async () => {
    const { rpc } = await live();
    last().end();
    rpc.wake();
    expect(FakeSocket.all).toHaveLength(2);
    rpc.wake(); // one is on its way
    await vi.advanceTimersByTimeAsync(5_000);
    expect(FakeSocket.all).toHaveLength(2);
  });

  test('closed by us is closed', async () => {
    const { rpc, states } = await live();
    rpc.close();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(states[states.length - 1].kind).toBe('idle');
    expect(FakeSocket.all).toHaveLength(1);
  });

  test('an old socket that ends late changes nothing', async () => {
    const { rpc, states } = await live();
    const old = last();
    rpc.close();
    rpc.connect();
    last().accept();
    await settle();
    old.end();
    old.say({ jsonrpc: '2.0', id: 1, result: 1 });
    expect(states[states.length - 1].kind).toBe('live');
  });
});

describe('subscriptions', () => {
  test('are made on every connection, each with its own number', async () => {
    const { rpc } = await live();
    const seen: unknown[] = [];
    const onStart = vi.fn();
    rpc.subscribe({ pattern: 'metrics/*' }, { onStart, onNotice: (_, p) => seen.push(p.v) });
    last().answer('master.subscribe', { subscription: 3 });
    await settle();
    last().say({ jsonrpc: '2.0', method: 'samples', params: { subscription: 3, v: 'a' } });
    last().end();
    await vi.advanceTimersByTimeAsync(1_000);
    last().accept();
    await settle();
    last().answer('master.subscribe', { subscription: 1 });
    await settle();
    last().say({ jsonrpc: '2.0', method: 'samples', params: { subscription: 3, v: 'stale' } });
    last().say({ jsonrpc: '2.0', method: 'samples', params: { subscription: 1, v: 'b' } });
    expect(seen).toEqual(['a', 'b']);
    expect(onStart).toHaveBeenCalledTimes(2);
  });

  test('lose nothing that overtakes the answer with their number', async () => {
    const { rpc } = await live();
    const seen: unknown[] = [];
    rpc.subscribe({ pattern: '*' }, { onNotice: (_, p) => seen.push(p.v) });
    last().say({ jsonrpc: '2.0', method: 'samples', params: { subscription: 9, v: 1 } });
    last().answer('master.subscribe', { subscription: 9 });
    await settle();
    last().say({ jsonrpc: '2.0', method: 'samples', params: { subscription: 9, v: 2 } });
    expect(seen).toEqual([1, 2]);
  });

  test('that are closed are ended on the master and stay ended', async () => {
    const { rpc } = await live();
    const onNotice = vi.fn();
    const sub = rpc.subscribe({ pattern: '*' }, { onNotice });
    last().answer('master.subscribe', { subscription: 2 });
    await settle();
    sub.close();
    expect(last().sent.at(-1)).toMatchObject({ method: 'master.unsubscribe', params: { subscription: 2 } });
    last().say({ jsonrpc: '2.0', method: 'event', params: { subscription: 2 } });
    expect(onNotice).not.toHaveBeenCalled();
    last().end();
    await vi.advanceTimersByTimeAsync(1_000);
    last().accept();
    await settle();
    expect(last().sent).toEqual([]);
  });

  test('tell of a refusal', async () => {
    const { rpc } = await live();
    const onError = vi.fn();
    rpc.subscribe({ pattern: '*' }, { onNotice: () => {}, onError });
    last().say({ jsonrpc: '2.0', id: last().sent[0].id, error: { code: -32003, message: 'no' } });
    await settle();
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ code: -32003 }));
  });
});

test('the endpoint is on the master that served the page', () => {
  expect(endpoint({ protocol: 'http:', host: 'm:50505' })).toBe('ws://m:50505/rpc');
  expect(endpoint({ protocol: 'https:', host: 'm' })).toBe('wss://m/rpc');
});
