// Queries that are repeated over the shown time, and their last results.

import { effect, signal, type Signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { Drawn } from '../charts/query-chart.ts';
import { grainOf } from '../charts/time.ts';
import type { View } from '../charts/view.ts';
import { largest, linesOf, rowsOf, unitOf, type QueryLine, type ValueRow } from './matrix.ts';
import { Prom, type Answer, type Found } from './prom.ts';
import type { Session } from './session.ts';
import type { Store } from './store.ts';

/** The most lines that are drawn; tables and files have all. */
export const mostDrawn = 40;
/** The least distance of two points (ms); agents measure once a second. */
const finest = 1_000;

export type Form = 'chart' | 'table';

export interface Results {
  /** Why each query failed, or null. */
  errors: (Error | null)[];
  warnings: string[];
  /** All results, even those that are not drawn. */
  lines: QueryLine[];
  rows: ValueRow[];
  drawn: Drawn;
}

/** The range, on the grid of steps; times of the master (ms). */
export function gridOf(from: number, to: number): { start: number; end: number; step: number } {
  const step = Math.max(finest, grainOf(to - from));
  return { start: Math.ceil(from / step) * step, end: Math.floor(to / step) * step, step };
}

/** The unit of all queries, or '' if they differ. */
export function unitOfAll(queries: string[]): Drawn['unit'] {
  const units = new Set(queries.map(unitOf));
  return units.size === 1 ? [...units][0] : '';
}

export interface QueryParts {
  session: Pick<Session, 'fetch' | 'link'>;
  store: Pick<Store, 'masterOffset'>;
  view: Pick<View, 'time' | 'live'>;
}

/** Runs all queries once. A failure of one does not affect the others. */
export async function askAll({ session, store, view }: QueryParts, queries: string[], form: Form, stop?: AbortSignal): Promise<Results> {
  const prom = new Prom(session.fetch);
  const { from, to } = view.time.shown;
  const offset = store.masterOffset;
  const { start, end, step } = gridOf(from - offset, to - offset);
  const ask = (query: string): Promise<Answer> => (form === 'table' ? prom.instant(query, to - offset, stop) : prom.range(query, start, Math.max(start, end), step, stop));
  const settled = await Promise.allSettled(queries.map(ask));
  const errors = settled.map((s) => (s.status === 'rejected' ? (s.reason as Error) : null));
  const answers = settled.map((s): Found[] => (s.status === 'fulfilled' ? s.value.series : []));
  const lines = form === 'chart' ? linesOf(answers, queries) : [];
  return {
    errors,
    warnings: [...new Set(settled.flatMap((s) => (s.status === 'fulfilled' ? s.value.warnings : [])))],
    lines,
    rows: form === 'table' ? rowsOf(answers) : [],
    drawn: { lines: largest(lines, mostDrawn), unit: unitOfAll(queries.filter((_, i) => !errors[i])), step, from, to, offset },
  };
}

export interface Asked {
  results: Signal<Results | null>;
  /** A query is running. */
  busy: Signal<boolean>;
  again: () => void;
}

/** Makes a page run queries now, whenever the shown time changes, and every `every` ms while time passes. */
export function useQueries(parts: QueryParts, queries: string[], form: Form, every: number): Asked {
  const what = JSON.stringify([queries, form]);
  const asked = useMemo(() => ({ results: signal<Results | null>(null), busy: signal(false), turn: signal(0) }), []);
  useEffect(() => {
    const { view, session } = parts;
    asked.results.value = null;
    if (queries.length === 0) return undefined;
    let stop = new AbortController();
    let begun = 0;
    const ask = async (): Promise<void> => {
      stop.abort();
      const mine = (stop = new AbortController());
      begun = Date.now();
      asked.busy.value = true;
      const results = await askAll(parts, queries, form, mine.signal).catch(() => null);
      if (mine.signal.aborted) return;
      asked.busy.value = false;
      if (results) asked.results.value = results;
    };
    const unfollow = effect(() => {
      void asked.turn.value;
      void view.time.window.value;
      void view.time.range.value;
      void view.time.pausedAt.value;
      if (session.link.value.kind === 'live') void ask();
    });
    const timer = setInterval(() => {
      const { from, to } = view.time.shown;
      const pause = Math.max(every, gridOf(from, to).step);
      const due = view.live && session.link.peek().kind === 'live' && document.visibilityState === 'visible';
      if (due && !asked.busy.peek() && Date.now() - begun >= pause) void ask();
    }, 1_000);
    return () => {
      unfollow();
      clearInterval(timer);
      stop.abort();
      asked.busy.value = false;
    };
  }, [what]);
  return { results: asked.results, busy: asked.busy, again: () => asked.turn.value++ };
}
