// Events of a host in the time that its charts show: revisions of its inspectors, from
// the rollouts, and alerts, from the history.

import { effect, signal, type Signal } from '@preact/signals';
import { alertMarks, firingQuery, revisionMarks, type Mark, type MarkedHost } from '../charts/marks.ts';
import type { View } from '../charts/view.ts';
import type { Fleet } from './fleet.ts';
import { Prom, type Found } from './prom.ts';
import type { Session } from './session.ts';
import type { HostModel, Store } from './store.ts';

const again = 10_000; // ms between two queries for firing alerts
const steps = 300; // of the time that is shown

/** Keeps the marks of a host up to date, until the result is called. */
export function followMarks(host: HostModel, parts: { session: Session; store: Store; fleet: Fleet; view: View }, marks: Signal<Mark[]>): () => void {
  const { session, store, fleet, view } = parts;
  const prom = new Prom((path, init) => session.fetch(path, init));
  const fired = signal<Mark[]>([]);
  const turn = signal(0);
  let asked: AbortController | undefined;
  const ask = async (from: number, to: number): Promise<void> => {
    asked?.abort();
    const mine = (asked = new AbortController());
    const step = Math.max(1000, Math.ceil((to - from) / steps / 1000) * 1000);
    const offset = store.masterOffset;
    const [begin, end] = [Math.floor((from - offset) / step) * step, to - offset];
    let found: Found[] = [];
    try {
      found = (await prom.range(firingQuery(host.name), begin, end, step, mine.signal)).series;
    } catch {
      return; // it is queried again later, and charts are drawn anyway
    }
    if (!mine.signal.aborted) fired.value = alertMarks(found, begin, end, step, offset);
  };
  const stops = [
    effect(() => {
      void turn.value;
      void view.time.range.value;
      void view.time.window.value;
      void view.time.pausedAt.value;
      if (session.link.value.kind !== 'live') return;
      const { from, to } = view.time.shown;
      void ask(from, to);
    }),
    effect(() => {
      const of: MarkedHost = { name: host.name, labels: host.info.value?.labels ?? {} };
      const next = [...revisionMarks(fleet.rollouts.value, of, store.masterOffset), ...fired.value].sort((a, b) => a.at - b.at);
      if (!same(next, marks.peek())) marks.value = next;
    }),
  ];
  const timer = setInterval(() => document.visibilityState === 'visible' && view.live && turn.value++, again);
  return () => {
    clearInterval(timer);
    asked?.abort();
    stops.forEach((stop) => stop());
  };
}

const near = 1_500; // ms by which a mark may move as clocks are told anew

function same(a: Mark[], b: Mark[]): boolean {
  return a.length === b.length && a.every((m, i) => m.text === b[i].text && Math.abs(m.at - b[i].at) < near);
}
