// What the page of a host gives its charts.

import type { ReadonlySignal, Signal } from '@preact/signals';
import type { Boosts } from '../data/boosts.ts';
import type { Session } from '../data/session.ts';
import type { Mark } from './marks.ts';

export interface ChartPage {
  session: Pick<Session, 'rpc' | 'link' | 'seen' | 'may'>;
  /** Made by the first chart that has a button for it. */
  boosts?: Boosts;
  /** The ids of lines that the user has hidden, on all charts of the page. */
  hidden: Signal<string[]>;
  /** What happened to the host. */
  marks: ReadonlySignal<Mark[]>;
}
