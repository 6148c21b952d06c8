// The time that all charts show: the last minutes, or a fixed range. It is in the
// address, so a link shows the same.

import { effect, signal, type Signal } from '@preact/signals';
import { load, save } from '../lib/storage.ts';
import { longest, pausedOf, rangeOf, shortest, windowOf, withTime, type Range } from '../lib/time-url.ts';

export type { Range } from '../lib/time-url.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** A window that charts may show. */
export interface Window {
  ms: number;
  label: string;
  /** The milliseconds of one point; 0 is every sample. */
  grain: number;
}

export const windows: Window[] = [
  { ms: minute, label: '1 min', grain: 0 },
  { ms: 2 * minute, label: '2 min', grain: 0 },
  { ms: 5 * minute, label: '5 min', grain: 0 },
  { ms: 15 * minute, label: '15 min', grain: 0 },
  { ms: hour, label: '1 h', grain: 10_000 },
  { ms: 6 * hour, label: '6 h', grain: minute },
  { ms: 24 * hour, label: '24 h', grain: 4 * minute },
  { ms: 7 * day, label: '7 d', grain: 30 * minute },
  { ms: 30 * day, label: '30 d', grain: 2 * hour },
];

const usual = windows[1].ms;
const columns = 400; // about as many points show a range
const grains = [1, 2, 5, 10, 15, 30, 60, 120, 240, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400].map((s) => s * 1000);

/** The milliseconds of one point of a range. */
export function grainOf(span: number): number {
  return grains.find((g) => span / g <= columns) ?? grains[grains.length - 1];
}

/** The same middle, `times` times as long; it never reaches beyond now. */
export function zoomed({ from, to }: Range, times: number, now: number): Range {
  const span = Math.min(longest, Math.max(shortest, (to - from) * times));
  const middle = (from + to) / 2;
  const end = Math.min(Math.max(now, to), middle + span / 2);
  return { from: Math.max(0, Math.round(end - span)), to: Math.round(end) };
}

/** Moved by a fraction of its length; it never reaches beyond now. */
export function shifted({ from, to }: Range, part: number, now: number): Range {
  const by = Math.round(Math.min((to - from) * part, Math.max(0, now - to)));
  return { from: Math.max(0, from + by), to: to + by };
}

export class TimeShown {
  /** The milliseconds before now that are shown if there is no range. */
  readonly window: Signal<number>;
  /** A range, or null for the last minutes. */
  readonly range: Signal<Range | null>;
  /** When the user paused the charts, or null. */
  readonly pausedAt: Signal<number | null>;
  private stopEffect: (() => void) | undefined;
  private push = false;

  constructor(private readonly now: () => number = Date.now) {
    this.window = signal(startingWindow());
    this.range = signal(rangeOf(location.search));
    this.pausedAt = signal(this.range.peek() ? null : pausedOf(location.search, now()));
  }

  /** Writes the address from now on, and follows it. stop() ends that. */
  start(): void {
    addEventListener('popstate', this.onPop);
    let first = this.window.peek();
    this.stopEffect = effect(() => {
      const ms = this.window.value;
      const range = this.range.value;
      save('window', ms / minute);
      const chosen = ms !== first || windowOf(location.search) > 0;
      if (chosen) first = 0; // chosen from now on
      // A paused address shows exactly what it did, including the window.
      const at = this.pausedAt.value;
      this.write(withTime(location.search, chosen || at !== null ? ms : 0, range, at));
    });
  }

  stop(): void {
    removeEventListener('popstate', this.onPop);
    this.stopEffect?.();
  }

  /** Milliseconds that are shown. */
  get span(): number {
    const range = this.range.peek();
    return range ? range.to - range.from : this.window.peek();
  }

  get grain(): number {
    if (this.range.peek()) return grainOf(this.span);
    return windows.find((w) => w.ms === this.window.peek())?.grain ?? grainOf(this.window.peek());
  }

  /** The range that is shown now. */
  get shown(): Range {
    const to = this.pausedAt.peek() ?? this.now();
    return this.range.peek() ?? { from: to - this.window.peek(), to };
  }

  /** Shows the last minutes, as they go by. */
  live(window = this.window.peek()): void {
    this.push = this.range.peek() !== null;
    this.window.value = window;
    this.range.value = null;
    this.pausedAt.value = null;
  }

  /** Shows a range; the browser's back button returns to the previous view. */
  show(from: number, to: number): void {
    const [a, b] = [Math.round(Math.min(from, to)), Math.round(Math.max(from, to))];
    if (b - a < shortest || b - a > longest) return;
    this.push = true;
    this.pausedAt.value = null;
    this.range.value = { from: a, to: b };
  }

  zoomOut(): void {
    const { from, to } = zoomed(this.shown, 2, this.now());
    this.show(from, to);
  }

  shift(part: number): void {
    const { from, to } = shifted(this.shown, part, this.now());
    this.show(from, to);
  }

  private write(query: string): void {
    if (query === location.search) return;
    const address = location.pathname + query + location.hash;
    if (this.push) history.pushState(null, '', address);
    else history.replaceState(history.state, '', address);
    this.push = false;
  }

  /** Going back changes the page and the range, but not the window, which the address names. */
  private readonly onPop = (): void => {
    const range = rangeOf(location.search);
    if (JSON.stringify(range) !== JSON.stringify(this.range.peek())) this.range.value = range;
    else this.write(withTime(location.search, range ? 0 : this.window.peek(), range, this.pausedAt.peek()));
  };
}

/** The window in the address, or else the stored one. */
function startingWindow(): number {
  const known = (ms: number): boolean => windows.some((w) => w.ms === ms);
  return [windowOf(location.search), load('window', 0) * minute].find(known) ?? usual;
}
