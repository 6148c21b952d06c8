// A query to the master whose answer a page shows. It is sent when the page opens, when
// the link is back, after events that affect it, and on request.

import { effect, signal, type Signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { Session } from './session.ts';

/** The milliseconds for which events are collected before the query is repeated. */
const gather = 300;

export class Ask<T> {
  /** The last answer; null before the first. */
  readonly data: Signal<T | null> = signal(null);
  /** Why the last query failed, or null. */
  readonly error: Signal<unknown> = signal(null);
  private turn = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly question: () => Promise<T>) {}

  /** Sends the query now. The answer to an older query is dropped. */
  async again(): Promise<void> {
    const turn = ++this.turn;
    try {
      const data = await this.question();
      if (turn !== this.turn) return;
      this.data.value = data;
      this.error.value = null;
    } catch (e) {
      if (turn === this.turn) this.error.value = e;
    }
  }

  /** Sends the query soon; several calls at once make one query. */
  soon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.again();
    }, gather);
  }

  stop(): void {
    this.turn++;
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}

/**
 * Makes a page query `method` with `params`. `about` is a pattern of events, such
 * as `catalog/*`, after which it repeats the query.
 */
export function useAsk<T>(session: Session, method: string, params: object = {}, about = ''): Ask<T> {
  const what = JSON.stringify([method, params]);
  const ask = useMemo(() => new Ask<T>(() => session.rpc.call<T>(method, params)), [session, what]);
  useEffect(
    () =>
      effect(() => {
        if (session.link.value.kind === 'live' && session.info.value) void ask.again();
      }),
    [ask],
  );
  useEffect(() => {
    if (!about) return () => ask.stop();
    const follow = session.rpc.subscribe({ pattern: about }, { onNotice: () => ask.soon() });
    return () => {
      follow.close();
      ask.stop();
    };
  }, [ask, about]);
  return ask;
}
