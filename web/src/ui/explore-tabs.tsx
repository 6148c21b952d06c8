// The two halves of Explore: measured values, and answers of hosts.

import type { Parts } from '../parts.ts';

export function ExploreTabs({ session, here }: Pick<Parts, 'session'> & { here: 'explore' | 'ask' }) {
  if (!session.may('operator')) return null;
  return (
    <nav class="tabs" aria-label="Explore">
      <a href="/explore" aria-current={here === 'explore' ? 'page' : undefined}>
        What was measured
      </a>
      <a href="/explore/ask" aria-current={here === 'ask' ? 'page' : undefined}>
        Ask hosts now
      </a>
    </nav>
  );
}
