// JSON-RPC 2.0 over one WebSocket that reconnects by itself.
//
// A call is sent once or fails: nothing is queued while the link is down. Subscriptions
// survive lost links; each connection makes them again.

/** The states of the link. */
export type LinkState =
  | { kind: 'idle' }
  | { kind: 'connecting'; attempt: number }
  | { kind: 'live' }
  /** Down; `retryAt` (ms since the epoch) is when the next attempt starts. */
  | { kind: 'waiting'; attempt: number; retryAt: number }
  /** Refused permanently: nothing is tried again until connect() is called. */
  | { kind: 'refused'; code: number; reason: string };

/** Error codes of the master, beside those of JSON-RPC. */
export const Code = { noMethod: -32601, unauthenticated: -32001, forbidden: -32003, conflict: -32009, busy: -32029 } as const;

/** Close codes after which a retry could not succeed. */
export const CloseCode = { unauthenticated: 4401, forbidden: 4403, version: 4426 } as const;

const permanent: number[] = Object.values(CloseCode);

/** The other end answered with an error, or (code 0) it could not be reached. */
export class RpcError extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly data?: unknown,
  ) {
    super(message);
    this.name = 'RpcError';
  }
}

/** The part of WebSocket that is used, so that a test can bring its own. */
export interface Socket {
  readyState: number;
  onopen: ((e: any) => void) | null;
  onclose: ((e: any) => void) | null;
  onmessage: ((e: any) => void) | null;
  onerror: ((e: any) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

export interface RpcOptions {
  url: string;
  /** Runs on every new connection before subscriptions are made: log in here. */
  onOpen?: (rpc: Rpc) => Promise<void>;
  onState?: (state: LinkState) => void;
  /** Milliseconds that a call may take; default 10,000. */
  timeout?: number;
  /** Milliseconds of silence after which the link counts as dead; default 35,000. */
  idle?: number;
  socket?: (url: string, protocol: string) => Socket;
  random?: () => number;
}

/** The callbacks of a subscription's owner. */
export interface Listener {
  /** A new connection has renewed the subscription, whose numbering starts again. */
  onStart?: () => void;
  onNotice: (method: string, params: any) => void;
  /** The master refused the subscription on this connection. */
  onError?: (error: RpcError) => void;
}

export interface Subscription {
  close(): void;
}

interface Pending {
  resolve: (value: any) => void;
  reject: (error: RpcError) => void;
  timer: ReturnType<typeof setTimeout>;
}

interface Sub {
  params: object;
  listener: Listener;
  id: number | null; // on this connection
}

export const protocol = 'vedette.v1.json';
const backoffBase = 1_000;
const backoffCap = 30_000;
const settled = 10_000; // ms of life after which the next loss starts a new series of attempts
const longestWait = 10 * 60_000; // the longest pause that a master may ask for
const stray = 1_000; // notices kept for a subscription whose number is not known yet

export class Rpc {
  private readonly options: Required<Omit<RpcOptions, 'onOpen' | 'onState'>> & RpcOptions;
  private state: LinkState = { kind: 'idle' };
  private socket: Socket | null = null;
  private nextId = 1;
  private readonly pending = new Map<number, Pending>();
  private readonly subs = new Set<Sub>();
  private readonly subById = new Map<number, Sub>();
  private readonly heard = new Set<(method: string, params: any) => void>();
  private strays: { method: string; params: any }[] = [];
  private subscribing = 0;
  private attempt = 0;
  private liveSince = Infinity;
  private retryAfter = 0; // ms that the master asked for
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private idleTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: RpcOptions) {
    this.options = {
      timeout: 10_000,
      idle: 35_000,
      socket: (url, sub) => new WebSocket(url, sub) as unknown as Socket,
      random: Math.random,
      ...options,
    };
  }

  get url(): string {
    return this.options.url;
  }

  get link(): LinkState {
    return this.state;
  }

  /** Connects now; a link that is up or being made stays. */
  connect(): void {
    if (this.socket) return;
    clearTimeout(this.retryTimer);
    this.open();
  }

  /** Ends the link until connect() is called. Calls in flight fail. */
  close(): void {
    clearTimeout(this.retryTimer);
    this.attempt = 0;
    this.liveSince = Infinity;
    this.drop(1000, 'client closes');
    this.setState({ kind: 'idle' });
  }

  /** Stops retrying because the master refused; the reason is for people. */
  refuse(code: number, reason: string): void {
    clearTimeout(this.retryTimer);
    this.drop(1000, 'refused');
    this.setState({ kind: 'refused', code, reason });
  }

  /** Tries at once if the link is waiting for its next attempt. */
  wake(): void {
    if (this.state.kind === 'waiting') this.connect();
  }

  /** Calls a method. Rejects with an RpcError. */
  call<T = unknown>(
    method: string,
    params?: unknown,
    options: { timeout?: number; signal?: AbortSignal } = {},
  ): Promise<T> {
    const socket = this.socket;
    if (!socket || socket.readyState !== 1) {
      return Promise.reject(new RpcError(0, 'not connected'));
    }
    const id = this.nextId++;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(
        () => this.cancel(id, 'Request timed out'),
        options.timeout ?? this.options.timeout,
      );
      this.pending.set(id, { resolve, reject, timer });
      options.signal?.addEventListener('abort', () => this.cancel(id, 'cancelled'), { once: true });
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  }

  /** Subscribes now, and again on every later connection, until closed. */
  subscribe(params: object, listener: Listener): Subscription {
    const sub: Sub = { params, listener, id: null };
    this.subs.add(sub);
    if (this.state.kind === 'live') void this.start(sub);
    return {
      close: () => {
        this.subs.delete(sub);
        if (sub.id === null) return;
        this.subById.delete(sub.id);
        this.call('master.unsubscribe', { subscription: sub.id }).catch(() => {});
      },
    };
  }

  /** Reports notifications without a subscription, until the result is called. */
  hear(listener: (method: string, params: any) => void): () => void {
    this.heard.add(listener);
    return () => void this.heard.delete(listener);
  }

  private open(): void {
    this.setState({ kind: 'connecting', attempt: this.attempt });
    let socket: Socket;
    try {
      socket = this.options.socket(this.options.url, protocol);
    } catch (e) {
      this.setState({ kind: 'refused', code: 0, reason: String(e) });
      return;
    }
    this.socket = socket;
    this.watch();
    socket.onopen = () => void this.opened(socket);
    socket.onmessage = (e) => {
      if (socket === this.socket) this.receive(e.data);
    };
    socket.onclose = (e) => {
      if (socket === this.socket) this.closed(e.code ?? 1006, e.reason ?? '');
    };
    socket.onerror = () => {}; // close follows and says more
  }

  private async opened(socket: Socket): Promise<void> {
    try {
      await this.options.onOpen?.(this);
    } catch (e) {
      if (socket !== this.socket) return; // refused or closed meanwhile
      this.noteRetryAfter(e);
      this.drop(1000, 'cannot start');
      this.schedule();
      return;
    }
    if (socket !== this.socket) return;
    this.liveSince = Date.now();
    this.setState({ kind: 'live' });
    for (const sub of this.subs) void this.start(sub);
  }

  private async start(sub: Sub): Promise<void> {
    const socket = this.socket;
    this.subscribing++;
    try {
      const result = await this.call<{ subscription: number }>('master.subscribe', sub.params);
      if (socket !== this.socket) return;
      if (!this.subs.has(sub)) {
        this.call('master.unsubscribe', result).catch(() => {});
        return;
      }
      sub.id = result.subscription;
      this.subById.set(sub.id, sub);
      sub.listener.onStart?.();
    } catch (e) {
      if (socket === this.socket) sub.listener.onError?.(e as RpcError);
    } finally {
      this.subscribing--;
      this.replayStrays();
    }
  }

  private receive(text: unknown): void {
    this.watch();
    let message: any;
    try {
      message = JSON.parse(text as string);
    } catch {
      return; // not ours; the watchdog closes a link that only sends nonsense
    }
    for (const m of Array.isArray(message) ? message : [message]) this.dispatch(m);
  }

  private dispatch(m: any): void {
    if (m === null || typeof m !== 'object') return;
    if (typeof m.method === 'string') {
      if (m.id === undefined) this.notice(m.method, m.params ?? {});
      else this.reply(m.id, { code: -32601, message: `a browser has no method ${m.method}` });
      return;
    }
    const call = this.pending.get(m.id);
    if (!call) return;
    this.pending.delete(m.id);
    clearTimeout(call.timer);
    if (m.error) {
      call.reject(new RpcError(m.error.code ?? 0, String(m.error.message ?? 'error'), m.error.data));
    } else {
      call.resolve(m.result);
    }
  }

  private reply(id: unknown, error: object): void {
    this.socket?.send(JSON.stringify({ jsonrpc: '2.0', id, error }));
  }

  private notice(method: string, params: any): void {
    if (params.subscription === undefined) {
      for (const listener of this.heard) listener(method, params);
      return;
    }
    const sub = this.subById.get(params.subscription);
    if (sub) sub.listener.onNotice(method, params);
    // The first events may arrive before the answer with their number.
    else if (this.subscribing > 0 && this.strays.length < stray) this.strays.push({ method, params });
  }

  private replayStrays(): void {
    const strays = this.strays;
    this.strays = [];
    for (const { method, params } of strays) this.notice(method, params);
  }

  private cancel(id: number, why: string): void {
    const call = this.pending.get(id);
    if (!call) return;
    this.pending.delete(id);
    clearTimeout(call.timer);
    if (this.socket?.readyState === 1) {
      this.socket.send(JSON.stringify({ jsonrpc: '2.0', method: '$/cancel', params: { id } }));
    }
    call.reject(new RpcError(0, why));
  }

  private closed(code: number, reason: string): void {
    this.drop();
    const wait = /retry_after_ms=(\d+)/.exec(reason);
    if (wait) this.retryAfter = Math.min(Number(wait[1]), longestWait);
    if (permanent.includes(code)) this.setState({ kind: 'refused', code, reason });
    else this.schedule();
  }

  /** Forgets the socket and everything attached to it. */
  private drop(code?: number, reason?: string): void {
    const socket = this.socket;
    this.socket = null;
    clearTimeout(this.idleTimer);
    this.subById.clear();
    this.strays = [];
    for (const sub of this.subs) sub.id = null;
    for (const [id, call] of this.pending) {
      this.pending.delete(id);
      clearTimeout(call.timer);
      call.reject(new RpcError(0, 'the connection was lost'));
    }
    if (socket && code !== undefined) socket.close(code, reason);
  }

  /**
   * Waits for a uniformly random part of an exponentially growing time, so that a
   * thousand pages do not hit a restarted master at the same moment.
   */
  private schedule(): void {
    if (Date.now() - this.liveSince >= settled) this.attempt = 0;
    this.liveSince = Infinity;
    const most = Math.min(backoffCap, backoffBase * 2 ** Math.min(this.attempt, 10));
    const { random } = this.options;
    const asked = this.retryAfter > 0 ? this.retryAfter + random() * backoffBase : 0;
    const delay = Math.max(asked, random() * most);
    this.retryAfter = 0;
    this.attempt++;
    this.setState({ kind: 'waiting', attempt: this.attempt, retryAt: Date.now() + delay });
    this.retryTimer = setTimeout(() => this.open(), delay);
  }

  private noteRetryAfter(e: unknown): void {
    const wait = e instanceof RpcError ? (e.data as any)?.retry_after_ms : undefined;
    if (typeof wait === 'number' && wait > 0) this.retryAfter = Math.min(wait, longestWait);
  }

  /** A browser cannot ping, so silence for more than two heartbeats is a dead link. */
  private watch(): void {
    clearTimeout(this.idleTimer);
    this.idleTimer = setTimeout(() => {
      this.drop(4000, 'silence');
      this.schedule();
    }, this.options.idle);
  }

  private setState(state: LinkState): void {
    this.state = state;
    this.options.onState?.(state);
  }
}

/** The address of the endpoint on the master that served a page. */
export function endpoint(base: { protocol: string; host: string }): string {
  return `${base.protocol === 'https:' ? 'wss:' : 'ws:'}//${base.host}/rpc`;
}
