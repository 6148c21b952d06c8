// The connection of this page with the master: our identity, our subscriptions, and
// what to show if something is wrong.

import { signal, type Signal } from '@preact/signals';
import { CloseCode, Code, Rpc, RpcError, type LinkState } from '../lib/rpc.ts';
import { loadToken, saveToken } from '../lib/storage.ts';
import type { Store } from './store.ts';
import type { Past } from './past.ts';
import { protocolVersion, type Host, type Info } from './wire.ts';

const refresh = 60_000; // ms between two looks at the master's clock and version

/** Who may do something: everybody who may look, or only those who may make changes. */
export type Needs = 'viewer' | 'operator';

export class Session {
  readonly link: Signal<LinkState> = signal({ kind: 'idle' });
  readonly info: Signal<Info | null> = signal(null);
  /** The text of the login form, or null if none is needed. */
  readonly login: Signal<string | null> = signal(null);
  /** The list of hosts has arrived at least once. */
  readonly ready = signal(false);
  /** The master is of another version than when the page was loaded. */
  readonly updated = signal(false);
  readonly rpc: Rpc;
  /** The page is visible: its tab is not hidden. */
  readonly seen: Signal<boolean> = signal(true);
  private token = loadToken();
  private firstVersion = '';
  private following = false;
  private timer: ReturnType<typeof setInterval> | undefined;
  private readonly wake = (): void => {
    this.seen.value = document.visibilityState === 'visible';
    if (this.seen.value) this.rpc.wake();
  };

  constructor(
    url: string,
    private readonly store: Store,
    /** Is told when live samples begin. */
    private readonly past: Pick<Past, 'up' | 'down' | 'lost'>,
  ) {
    this.rpc = new Rpc({
      url,
      onOpen: (rpc) => this.open(rpc),
      onState: (state) => this.changed(state),
    });
    this.rpc.subscribe(
      { pattern: 'hosts/*', format: 'columns' },
      {
        onStart: () => void this.list().then(painted).then(() => this.follow()),
        onNotice: (method, params) => {
          if (method === 'lost') void this.list();
          else if (method === 'event' && isHost(params.data)) store.setHost(params.data);
        },
        onError: (e) => this.refused(e),
      },
    );
  }

  /** Connects and stays connected. stop() is its pair. */
  start(): void {
    addEventListener('online', this.wake);
    document.addEventListener('visibilitychange', this.wake);
    this.timer = setInterval(() => {
      this.store.sweep();
      if (this.link.peek().kind === 'live') void this.refresh(this.rpc).catch(() => {});
    }, refresh);
    this.rpc.connect();
  }

  stop(): void {
    removeEventListener('online', this.wake);
    document.removeEventListener('visibilitychange', this.wake);
    clearInterval(this.timer);
    this.rpc.close();
  }

  /** Tries a token that the user has entered. */
  logIn(token: string): void {
    this.token = token;
    this.rpc.close();
    this.rpc.connect();
  }

  /** Whether our role includes this one. Components that read it follow the role. */
  readonly may = (needs: Needs): boolean => {
    const role = this.info.value?.role;
    return needs === 'viewer' || role === 'operator' || role === 'admin' || role === 'local';
  };

  /** Sends an HTTP request to the master with this page's identity. */
  readonly fetch = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(path, { ...init, headers: this.token ? { Authorization: `Bearer ${this.token}` } : {} });

  /** Asks for the present state of one host. */
  async look(name: string): Promise<void> {
    if (this.link.peek().kind !== 'live') return;
    const host = await this.rpc.call<Host>('hosts.get', { host: name });
    if (isHost(host)) this.store.setHost(host);
  }

  private async open(rpc: Rpc): Promise<void> {
    try {
      if (this.token) await rpc.call('master.login', { token: this.token });
      await this.refresh(rpc);
    } catch (e) {
      this.refused(e);
      throw e;
    }
    saveToken(this.token);
    this.login.value = null;
  }

  private async refresh(rpc: Rpc): Promise<void> {
    const info = await rpc.call<Info>('master.info');
    this.store.setMasterClock(info.now_ms);
    this.info.value = info;
    this.firstVersion ||= info.version;
    this.updated.value = info.version !== this.firstVersion;
    if (info.protocol !== protocolVersion) {
      rpc.refuse(CloseCode.version, `the master speaks version ${info.protocol} of the protocol`);
    }
  }

  /**
   * Subscribes to samples, once. The first message has the latest sample of every series,
   * 10 MB of 1,000 hosts, so it begins when the page shows the hosts.
   */
  private follow(): void {
    if (this.following) return;
    this.following = true;
    this.rpc.subscribe(
      { pattern: 'metrics/*', format: 'columns' },
      {
        onStart: () => {
          this.store.restart();
          this.past.up();
        },
        onNotice: (method, params) => {
          if (method === 'samples') this.store.apply(params);
          else if (method === 'lost') this.lost(params.events);
        },
        onError: (e) => this.refused(e),
      },
    );
  }

  private lost(events: number): void {
    this.store.lost.value += events;
    this.past.lost();
  }

  private async list(): Promise<void> {
    try {
      const { hosts } = await this.rpc.call<{ hosts: Host[] | null }>('hosts.list');
      this.store.setHosts((hosts ?? []).filter(isHost));
      this.ready.value = true;
    } catch {
      // The link went down; the next connection lists the hosts again.
    }
  }

  /** An error that only another token can fix ends the attempts. */
  private refused(e: unknown): void {
    if (!(e instanceof RpcError)) return;
    if (e.code === Code.unauthenticated) this.rpc.refuse(CloseCode.unauthenticated, e.message);
    else if (e.code === Code.forbidden) this.rpc.refuse(CloseCode.forbidden, e.message);
  }

  private changed(state: LinkState): void {
    this.link.value = state;
    if (state.kind !== 'live') this.past.down();
    if (state.kind !== 'refused') return;
    if (state.code === CloseCode.unauthenticated) {
      this.login.value = this.token ? state.reason || 'The token was not accepted.' : '';
      this.forgetToken();
    } else if (state.code === CloseCode.forbidden) {
      this.login.value = state.reason || 'This token may not look at the hosts.';
      this.forgetToken();
    }
  }

  private forgetToken(): void {
    this.token = '';
    saveToken('');
  }
}

/** Waits until the browser has drawn what it knows, or a moment where it draws nothing: in a hidden tab. */
function painted(): Promise<void> {
  return new Promise((done) => {
    requestAnimationFrame(() => setTimeout(done));
    setTimeout(done, 250);
  });
}

function isHost(data: any): data is Host {
  return data !== null && typeof data === 'object' && typeof data.host === 'string';
}
