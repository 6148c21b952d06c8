// The parts that every page and the frame get.

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
  /** The problems and changes of all hosts. */
  fleet: Fleet;
  /** The time that is shown, and the loop that draws charts. */
  view: View;
  /** The address of the page. */
  router: Router;
}

/** What a page gets in addition: the decoded variables of its path. */
export interface PageProps extends Parts {
  params: Record<string, string>;
}
