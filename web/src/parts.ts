// What every page and every part of the frame is given.

import type { View } from './charts/view.ts';
import type { Fleet } from './data/fleet.ts';
import type { Session } from './data/session.ts';
import type { Store } from './data/store.ts';
import type { Router } from './lib/router.ts';

export interface Parts {
  /** The connection with the master: calls, subscriptions, who we are. */
  session: Session;
  /** The hosts and the samples that have come. */
  store: Store;
  /** What is wrong and what changed, over all hosts. */
  fleet: Fleet;
  /** The time that is shown, and the loop that draws charts. */
  view: View;
  /** Where we are. */
  router: Router;
}

/** What a page is given beside that: the variables of its path, decoded. */
export interface PageProps extends Parts {
  params: Record<string, string>;
}
