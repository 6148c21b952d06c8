// One question to the master whose answer a page shows: asked when the page
// opens, again when the link is back, when something that it is about changes,
// and when somebody wants it.

import { effect, signal, type Signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { Session } from './session.ts';

/** Milliseconds for which changes are gathered before the master is asked again. */
const gather = 300;

export class Ask<T> {
  /** The last answer; null before the first. */
  readonly data: Signal<T | null> = signal(null);
  /** Why the last question failed, or null. */
  readonly error: Signal<unknown> = signal(null);
  private turn = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly question: () => Promise<T>) {}

  /** Asks now. An answer to an older question is not shown any more. */
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

  /** Asks soon; many calls at once are one question. */
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
 * Has a page ask `method` with `params`. `about` is a pattern of events, such as
 * `catalog/*`, after which it asks again.
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
