// The state of the link with the master, as a word and a shape.

import { useSignal, useSignalEffect } from '@preact/signals';
import type { Session } from '../data/session.ts';
import { CloseCode, type LinkState } from '../lib/rpc.ts';

/** Attempts after which the master counts as not reachable. */
const patience = 3;

export type Condition = 'connecting' | 'live' | 'reconnecting' | 'unreachable' | 'login' | 'refused';

export function condition(link: LinkState): Condition {
  switch (link.kind) {
    case 'live':
      return 'live';
    case 'idle':
      return 'connecting';
    case 'connecting':
      return link.attempt >= patience ? 'unreachable' : link.attempt > 0 ? 'reconnecting' : 'connecting';
    case 'waiting':
      return link.attempt > patience ? 'unreachable' : 'reconnecting';
    case 'refused': {
      const login: number[] = [CloseCode.unauthenticated, CloseCode.forbidden];
      return login.includes(link.code) ? 'login' : 'refused';
    }
  }
}

const words: Record<Condition, string> = {
  connecting: 'connecting',
  live: 'live',
  reconnecting: 'reconnecting',
  unreachable: 'not reachable',
  login: 'login needed',
  refused: 'refused',
};

export function Link({ session }: { session: Session }) {
  const detail = useSignal('');
  useSignalEffect(() => {
    const link = session.link.value;
    if (link.kind !== 'waiting') {
      detail.value = '';
      return undefined;
    }
    const tell = (): void => {
      const left = Math.max(0, Math.ceil((link.retryAt - Date.now()) / 1000));
      detail.value = condition(link) === 'unreachable' ? `, next try in ${left} s` : ` in ${left} s`;
    };
    tell();
    const timer = setInterval(tell, 250);
    return () => clearInterval(timer);
  });
  const now = condition(session.link.value);
  return (
    <span class="link" data-link={now}>
      <i aria-hidden="true" />
      <span role="status">{words[now]}</span>
      {/* Counts down, and is not read out each second. */}
      <span aria-hidden="true">{detail}</span>
    </span>
  );
}
