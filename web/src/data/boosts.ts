// The inspectors that this page boosts. The master ends a boost with the connection. It
// also ends while the tab is hidden, and begins again with the next connection and when
// the tab is visible.

import { effect, signal, untracked, type Signal } from '@preact/signals';
import type { Session } from './session.ts';

interface Caller {
  call<T>(method: string, params: object): Promise<T>;
}

/** Milliseconds between two runs. */
export const boostedInterval = 100;

interface Wanted {
  host: string;
  inspector: string;
  /** Who wants it; each is told about a failure. */
  by: Set<(why: string) => void>;
}

export class Boosts {
  /** The user may boost inspectors. */
  readonly allowed: Signal<boolean> = signal(false);
  private readonly wanted = new Map<string, Wanted>();
  private readonly sending = new Map<string, Promise<void>>();
  private live = false;
  private seen = true;
  private stops: (() => void)[] = [];

  constructor(private readonly rpc: Caller) {}

  /** Makes boosts follow a session. stop() ends that. */
  static of({ rpc, link, seen, may }: Pick<Session, 'rpc' | 'link' | 'seen' | 'may'>): Boosts {
    const boosts = new Boosts({ call: (method, params) => rpc.call(method, params) });
    const follow = (read: () => boolean, tell: (value: boolean) => void): void => {
      boosts.stops.push(
        effect(() => {
          const value = read();
          untracked(() => tell(value));
        }),
      );
    };
    follow(() => may('operator'), (value) => (boosts.allowed.value = value));
    follow(() => link.value.kind === 'live', (value) => boosts.linked(value));
    follow(() => seen.value, (value) => boosts.shown(value));
    return boosts;
  }

  stop(): void {
    this.stops.splice(0).forEach((stop) => stop());
  }

  /** Boosts an inspector until the result is called. */
  want(host: string, inspector: string, failed: (why: string) => void): () => void {
    const id = idOf({ host, inspector });
    let wanted = this.wanted.get(id);
    if (!wanted) {
      wanted = { host, inspector, by: new Set() };
      this.wanted.set(id, wanted);
      if (this.live && this.seen) this.begin(wanted);
    }
    const { by } = wanted;
    const told = (why: string): void => failed(why); // separate for each call
    by.add(told);
    return () => {
      if (!by.delete(told) || by.size > 0 || this.wanted.get(id)?.by !== by) return;
      this.wanted.delete(id);
      if (this.live && this.seen) this.end({ host, inspector, by });
    };
  }

  /** The link went up or down; after that the master has forgotten the boosts. */
  linked(live: boolean): void {
    if (live === this.live) return;
    this.live = live;
    if (live && this.seen) this.wanted.forEach((w) => this.begin(w));
  }

  /** The page became visible or hidden. */
  shown(seen: boolean): void {
    if (seen === this.seen) return;
    this.seen = seen;
    if (this.live) this.wanted.forEach((w) => (seen ? this.begin(w) : this.end(w)));
  }

  private begin(wanted: Wanted): void {
    const { host, inspector, by } = wanted;
    const failed = (e: unknown): void => {
      // Boosts that ended with the link begin again with the next one.
      if (this.live) by.forEach((told) => told(e instanceof Error ? e.message : String(e)));
    };
    this.send('boosts.start', { host, inspector, interval_ms: boostedInterval }, failed);
  }

  private end({ host, inspector }: Wanted): void {
    // A boost that has not begun, or ended with the connection, need not be ended.
    this.send('boosts.stop', { host, inspector }, () => {});
  }

  /** Calls for one inspector are made one after the other, because the master may answer in any order. */
  private send(method: string, params: { host: string; inspector: string; interval_ms?: number }, failed: (e: unknown) => void): void {
    const id = idOf(params);
    const before = this.sending.get(id) ?? Promise.resolve();
    const call = before
      .then(() => this.rpc.call(method, params))
      .then(() => {}, failed)
      .finally(() => {
        if (this.sending.get(id) === call) this.sending.delete(id);
      });
    this.sending.set(id, call);
  }
}

function idOf({ host, inspector }: { host: string; inspector: string }): string {
  return `${host} ${inspector}`;
}
