import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Session } from './session.ts';
import { Store } from './store.ts';

/** A master that answers each call, and notes what was asked. */
class FakeSocket {
  static asked: string[] = [];
  static hostsFail = false;
  static last: FakeSocket;
  readyState = 1;
  onopen: (() => void) | null = null;
  onmessage: ((e: { data: string }) => void) | null = null;
  onclose: ((e: { code: number }) => void) | null = null;
  private subscriptions = 0;

  constructor() {
    FakeSocket.last = this;
    queueMicrotask(() => this.onopen?.());
  }

  send(text: string): void {
    const { id, method, params } = JSON.parse(text);
    FakeSocket.asked.push(method === 'master.subscribe' ? params.pattern : method);
    queueMicrotask(() => {
      if (method === 'hosts.list' && FakeSocket.hostsFail) this.answer({ id, error: { code: -32603, message: 'no list' } });
      else this.answer({ id, result: this.result(method) });
    });
  }

  close(): void {
    this.readyState = 3;
  }

  private answer(message: object): void {
    this.onmessage?.({ data: JSON.stringify({ jsonrpc: '2.0', ...message }) });
  }

  private result(method: string): object {
    if (method === 'master.subscribe') return { subscription: ++this.subscriptions };
    if (method === 'hosts.list') return { hosts: [{ host: 'db', state: 'up' }] };
    return { protocol: 1, version: '1', now_ms: Date.now() };
  }
}

const past = { up: vi.fn(), down: vi.fn(), lost: vi.fn() };

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', FakeSocket);
  [FakeSocket.asked, FakeSocket.hostsFail] = [[], false];
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function begun(): Promise<Session> {
  const session = new Session('ws://master/rpc', new Store(), past);
  session.start();
  await vi.advanceTimersByTimeAsync(300);
  return session;
}

test('it asks for samples when it has the hosts, because the first samples are many', async () => {
  const session = await begun();
  expect(FakeSocket.asked).toEqual(['master.info', 'hosts/*', 'hosts.list', 'metrics/*']);
  expect(session.ready.value).toBe(true);
  session.stop();
});

test('it asks for samples once, though it connects again', async () => {
  const session = await begun();
  FakeSocket.asked = [];
  FakeSocket.last.onclose?.({ code: 1006 });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(FakeSocket.asked.filter((what) => what === 'metrics/*')).toHaveLength(1);
  session.stop();
});

test('it asks for samples also where the list of hosts fails', async () => {
  FakeSocket.hostsFail = true;
  const session = await begun();
  expect(FakeSocket.asked).toContain('metrics/*');
  session.stop();
});
