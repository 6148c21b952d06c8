// MeshClient, as pages of the walkthrough know it, over our own protocol.
//
//   const client = new MeshClient();           // the master that served the page
//   client.login({ username, password });      // or {token}, or nothing
//   client.on('login/allow', () => {
//     client.event.master.on('metrics/*', (data, meta) => { … });
//     client.exchange.master.info((err, info) => { … });
//   });
//
// event.<component>.on(pattern) subscribes: those of `master` are paths as they
// are (metrics/…, hosts/…), those of another component stand below its name.
// exchange.<component>.<method>(args…) calls <component>.<method>. The name of
// the mesh may stand before a component, as exchange.MasterNode.master.info.

import { CloseCode, Code, Rpc, RpcError, type LinkState, type Subscription } from '../lib/rpc.ts';
import { EventEmitter, guarded, type Handler } from './emitter.ts';

export interface ClientOptions {
  hostname?: string;
  host?: string;
  port?: number | string;
  /** http or https. */
  protocol?: string;
}

export interface Credentials {
  username?: string;
  password?: string;
  token?: string;
  info?: unknown;
}

/** What a handler gets in addition to the data. */
export interface Meta {
  path: string;
  type: string;
  action: string;
  channel: string;
  created: number;
  sessionId: string;
}

type Done = (error: Error | null, result?: any) => void;

const mesh = 'MasterNode';
const timeout = 10_000;

interface Listening {
  component: string;
  pattern: string;
  subscription: Subscription;
}

export class MeshClient extends EventEmitter {
  /** Events of a component: .on(pattern, handler, done), .off(id), .offPath(pattern). */
  readonly event: any;
  /** Methods of a component: .<component>.<method>(args…, callback?). */
  readonly exchange: any;
  /** Name and version of the master, once logged in. */
  info: Record<string, unknown> = {};
  /** The token of the login, or undefined. */
  token: string | undefined;

  private readonly rpc: Rpc;
  private readonly sessionId = sessionName();
  private credentials: Credentials = {};
  private nextListening = 1;
  private readonly listening = new Map<number, Listening>();
  private loggedIn = false; // at least once
  private settle: { done: () => void; fail: (e: Error) => void } | null = null;

  constructor(options: ClientOptions | string = {}) {
    super();
    this.rpc = new Rpc({
      url: address(options),
      timeout,
      onOpen: () => this.opened(),
      onState: (state) => this.changed(state),
    });
    this.event = members((name) => this.eventsOf(name));
    this.exchange = methods([], (path, args) => this.invoke(path, args));
  }

  /**
   * Connects and logs in. Emits login/allow, login/deny or login/error, and settles
   * the promise and the callback accordingly; never before the caller's turn has
   * ended, so handlers may be attached afterwards.
   */
  login(credentials?: Credentials | Done, done?: Done): Promise<void> {
    if (typeof credentials === 'function') return this.login({}, credentials);
    this.credentials = credentials ?? {};
    this.token = this.credentials.token;
    const result = new Promise<void>((resolve, reject) => {
      this.settle = { done: resolve, fail: reject };
    });
    result.then(
      () => done?.(null),
      (e) => done?.(e), // and for those who only listen to events
    );
    setTimeout(() => {
      this.rpc.close();
      this.rpc.connect();
    });
    return result;
  }

  /** Ends the connection; it does not reconnect until the next login. */
  disconnect(options?: object | (() => void), done?: () => void): Promise<void> {
    const callback = typeof options === 'function' ? (options as () => void) : done;
    this.settle?.fail(new Error('disconnected before the login was done'));
    this.settle = null;
    this.rpc.close();
    this.emit('connection/ended');
    return Promise.resolve().then(() => callback?.());
  }

  private async opened(): Promise<void> {
    const { username, password, token } = this.credentials;
    try {
      if (token || password || username) await this.rpc.call('master.login', drop({ token, username, password }));
      const info = await this.rpc.call<Record<string, unknown>>('master.info');
      this.info = { ...info };
    } catch (e) {
      const code = e instanceof RpcError ? e.code : 0;
      if (code === Code.unauthenticated) this.rpc.refuse(CloseCode.unauthenticated, String((e as Error).message));
      else if (code === Code.forbidden) this.rpc.refuse(CloseCode.forbidden, String((e as Error).message));
      throw e;
    }
  }

  private changed(state: LinkState): void {
    switch (state.kind) {
      case 'live':
        // Subscriptions are made before the page is told.
        setTimeout(() => this.allowed());
        break;
      case 'waiting':
        if (this.settle) this.failed(new Error(`cannot reach the master at ${this.address}`));
        else this.emit('reconnect/scheduled', { attempt: state.attempt, at: state.retryAt });
        break;
      case 'refused':
        this.denied(state);
        break;
    }
  }

  private get address(): string {
    return this.rpc.url;
  }

  private allowed(): void {
    if (this.rpc.link.kind !== 'live') return;
    if (this.settle) {
      this.settle.done();
      this.settle = null;
      this.loggedIn = true;
      this.emit('login/allow');
      const components = ['master', 'hosts'].map((name) => ({ description: { name } }));
      this.emit('components/created', components);
    } else if (this.loggedIn) {
      this.emit('reconnect/successful');
    }
  }

  /** The master could not be reached; like the walkthrough's client, this one then gives up. */
  private failed(error: Error): void {
    this.rpc.close();
    this.settle?.fail(error);
    this.settle = null;
    this.emit('login/error', error);
  }

  private denied(state: { code: number; reason: string }): void {
    const error = new Error(state.reason || 'access denied');
    const first = this.settle;
    this.settle = null;
    first?.fail(error);
    const denies: number[] = [CloseCode.unauthenticated, CloseCode.forbidden];
    this.emit(denies.includes(state.code) ? 'login/deny' : 'login/error', error);
    if (!first) this.emit('connection/ended');
  }

  private eventsOf(name: string): any {
    // event.MasterNode.master is event.master.
    const own = {
      on: (pattern: string, ...rest: Handler[]) => this.listen(name, pattern, rest),
      off: (id: number, done?: Done) => this.unlisten((_, at) => at === id, done),
      offPath: (pattern: string, done?: Done) =>
        this.unlisten((l) => l.component === name && l.pattern === pattern, done),
    };
    return members((member) => own[member as keyof typeof own] ?? this.eventsOf(member));
  }

  private listen(component: string, pattern: string, [handler, done]: Handler[]): Promise<number> {
    const id = this.nextListening++;
    const full = component === 'master' ? pattern : `${component}/${pattern}`;
    const result = new Promise<number>((resolve, reject) => {
      const subscription = this.rpc.subscribe(
        { pattern: full },
        {
          onStart: () => resolve(id),
          onError: (e) => reject(e),
          onNotice: (method, params) => {
            if (method === 'event') guarded(handler, params.data, this.meta(component, pattern, params));
          },
        },
      );
      this.listening.set(id, { component, pattern, subscription });
    });
    result.then(
      () => done?.(null, id),
      (e) => {
        this.listening.delete(id);
        done?.(e);
      },
    );
    return result;
  }

  private unlisten(which: (l: Listening, id: number) => boolean, done?: Done): Promise<void> {
    for (const [id, l] of this.listening) {
      if (!which(l, id)) continue;
      l.subscription.close();
      this.listening.delete(id);
    }
    return Promise.resolve().then(() => done?.(null));
  }

  private meta(component: string, pattern: string, event: { path: string; data: any }): Meta {
    const base = `/_events/${mesh}/${component === 'master' ? 'master/' : ''}`;
    const channel = `/ALL@/_events/${mesh}/${component}/${pattern}`;
    return {
      path: base + plainPath(event.path, event.data?.labels),
      type: 'data',
      action: channel,
      channel,
      created: Date.now(),
      sessionId: this.sessionId,
    };
  }

  private invoke(path: string[], args: unknown[]): Promise<unknown> {
    const last = args[args.length - 1];
    const done = typeof last === 'function' ? (last as Done) : undefined;
    const params = done ? args.slice(0, -1) : args;
    const result = this.rpc.call(path.slice(-2).join('.'), params, { timeout });
    result.then(
      (value) => done?.(null, value),
      (e) => done?.(e),
    );
    return result;
  }
}

/**
 * The path of an event for pages that know no labels. The values of the labels are
 * appended to the item, so that two lines do not become one. The path only contains
 * letters, digits and "_", "-", ".", ":".
 */
export function plainPath(path: string, labels: Record<string, string> | undefined): string {
  const names = Object.keys(labels ?? {}).sort();
  if (names.length === 0 || !labels) return path;
  const values = names.map((n) => labels[n].replace(/[^A-Za-z0-9_.:-]+/g, '_') || '_');
  // metrics/<host>/<chart> has no item yet.
  const glue = path.split('/').length > 3 ? '-' : '/';
  return path + glue + values.join('-');
}

/** The address of the endpoint; parts that are not given are those of the page. */
export function address(options: ClientOptions | string, page: Location = location): string {
  const given = typeof options === 'string' ? fromUrl(options) : options;
  const served = page.protocol === 'http:' || page.protocol === 'https:';
  const protocol = (given.protocol ?? (served ? page.protocol : 'http')).replace(/:$/, '');
  const name = given.hostname ?? given.host;
  const hostname = name ?? (served ? page.hostname : 'localhost');
  // The port of the page belongs to its host name, not to another one.
  const own = served && (name === undefined || name === page.hostname) ? page.port : '50505';
  const port = given.port === undefined || given.port === '' ? own : String(given.port);
  const secure = protocol === 'https' || protocol === 'wss';
  return `${secure ? 'wss' : 'ws'}://${hostname}${port ? `:${port}` : ''}/rpc`;
}

function fromUrl(text: string): ClientOptions {
  const url = new URL(text);
  return { protocol: url.protocol, hostname: url.hostname, port: url.port };
}

/** An object that creates each member on first use. */
function members(make: (name: string) => any): any {
  const made = new Map<string, any>();
  return new Proxy(Object.create(null), {
    get: (_, name) => {
      // These names must be absent for pages that await or print the object.
      if (typeof name !== 'string' || name === 'then' || name === 'toJSON') return undefined;
      if (!made.has(name)) made.set(name, make(name));
      return made.get(name);
    },
  });
}

/** A path of names that can be called at any length. */
function methods(path: string[], call: (path: string[], args: unknown[]) => unknown): any {
  const own: Record<string, unknown> = {};
  return new Proxy((): void => {}, {
    get: (target, name) => {
      if (typeof name !== 'string' || name === 'then' || name === 'toJSON') return undefined;
      if (name === 'call' || name === 'apply' || name === 'bind') return Reflect.get(target, name);
      return (own[name] ??= methods([...path, name], call));
    },
    apply: (_, _this, args) => call(path, args),
  });
}

function drop(o: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined && v !== ''));
}

function sessionName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16).padStart(2, '0')).join('');
}
