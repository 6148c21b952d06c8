// What all charts of a page share: the window, the pause, the theme, and the loop that
// draws them. Charts are drawn at the rate of the data, once a second, all in one
// frame, and only those on the screen.

import { effect, signal, type Signal } from '@preact/signals';
import type { HostModel, Series } from '../data/store.ts';
import { load, save } from '../lib/storage.ts';
import { buildFrame, type Frame } from './frame.ts';
import { TimeShown } from './time.ts';

/** What the loop needs to know about a chart. */
export interface Drawable extends HTMLElement {
  /** The host whose live samples it shows; null if it gets its data itself. */
  readonly host: HostModel | null;
  /** Makes the plot, which takes about a millisecond. */
  create(): void;
  /** Frees the plot. */
  destroy(): void;
  /** Draws. `must` is false if only time has passed, and `words` if the texts beside the plot may wait. */
  draw(must: boolean, words?: boolean): void;
  /** Stores the size of the plot. */
  fit(width: number, height: number): void;
  readonly created: boolean;
}

export type Theme = 'system' | 'light' | 'dark';

const period = 1_000; // ms between two frames
const scrollRest = 100; // ms without scrolling before plots are made
const createBudget = 8; // ms of each frame for making plots
const crowd = 75; // up to this many charts on the screen update their texts each second
const pool = 40; // plots off the screen that are kept for when they return

export class View {
  /** The time that charts show. */
  readonly time = new TimeShown();
  readonly theme: Signal<Theme>;
  /** The user may change things, such as boards. */
  readonly mayChange: Signal<boolean> = signal(false);
  /** What a screen reader is told about the crosshair. */
  readonly status: Signal<string> = signal('');

  /** When the link went down; nothing after that is drawn. */
  private heldAt: number | null = null;
  private wasLive = false;
  private readonly visible = new Set<Drawable>();
  private readonly queue = new Set<Drawable>(); // visible, but without a plot yet
  private kept: Drawable[] = []; // off the screen with a plot, the oldest first
  private readonly dirty = new Set<Drawable>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private frame = 0;
  private due = false; // the next frame draws everything
  private turn = 0; // whose texts are updated, if many charts are drawn
  private must = false; // even if nothing has changed
  private readonly mounted = new Map<HostModel, number>();
  /** Increases when charts of another host come near the screen. */
  readonly near: Signal<number> = signal(0);
  private lastScroll = 0;
  private envelope: typeof import('./envelope.ts') | 'loading' | null = null;
  private readonly crossing = new IntersectionObserver((entries) => this.cross(entries), {
    rootMargin: '120px',
  });
  private readonly sizing = new ResizeObserver((entries) => {
    for (const e of entries) {
      const chart = e.target.closest('live-chart, query-chart, band-chart') as Drawable | null;
      chart?.fit(e.contentRect.width, e.contentRect.height);
      this.request(chart);
    }
  });
  private readonly onScroll = (): void => {
    this.lastScroll = performance.now();
  };
  private readonly stopEffects: (() => void)[] = [];

  constructor() {
    const theme = load<Theme>('theme', 'system');
    this.theme = signal(['light', 'dark'].includes(theme) ? theme : 'system');
  }

  /** Starts the loop. stop() ends it. */
  start(): void {
    document.addEventListener('scroll', this.onScroll, { passive: true, capture: true });
    this.time.start();
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const recolour = (): void => this.recolour();
    scheme.addEventListener('change', recolour);
    this.stopEffects.push(
      () => scheme.removeEventListener('change', recolour),
      effect(() => {
        void this.time.window.value;
        void this.time.range.value;
        this.drawAll();
      }),
      effect(() => {
        const theme = this.theme.value;
        save('theme', theme);
        if (theme === 'system') delete document.documentElement.dataset.theme;
        else document.documentElement.dataset.theme = theme;
        this.recolour();
      }),
      effect(() => {
        if (this.time.pausedAt.value === null) this.drawAll();
      }),
    );
    this.tick();
  }

  stop(): void {
    document.removeEventListener('scroll', this.onScroll, { capture: true });
    this.time.stop();
    this.stopEffects.splice(0).forEach((stop) => stop());
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    this.crossing.disconnect();
    this.sizing.disconnect();
  }

  /** The time at the right edge of every chart, on the browser's clock. */
  get edge(): number {
    return this.time.range.peek()?.to ?? this.time.pausedAt.peek() ?? this.heldAt ?? Date.now();
  }

  get span(): number {
    return this.time.span;
  }

  get grain(): number {
    return this.time.grain;
  }

  /** A name for the part of the past that is shown; '' for the last minutes. */
  get place(): string {
    const range = this.time.range.peek();
    return range ? `${range.from} ${range.to}` : '';
  }

  /** Milliseconds before now that it begins. */
  get reach(): number {
    return Date.now() - this.edge + this.span;
  }

  /** Charts show live samples. */
  get live(): boolean {
    return this.time.range.peek() === null && this.time.pausedAt.peek() === null;
  }

  /** The time at the right edge of a host's charts. For a host that is gone it stays at the last sample. */
  edgeOf(host: HostModel): number {
    if (!host.gone || this.time.range.peek()) return this.edge;
    const { newest } = host;
    return newest > 0 ? Math.min(this.edge, newest + host.clock.offset) : this.edge;
  }

  /** Marks charts of a host as near the screen, until the result is called. */
  mount(host: HostModel): () => void {
    const count = (by: number): void => {
      const n = (this.mounted.get(host) ?? 0) + by;
      if (n > 0) this.mounted.set(host, n);
      else this.mounted.delete(host);
    };
    count(1);
    this.near.value++;
    return () => count(-1);
  }

  /** Hosts whose charts are near the screen, those on it first. */
  hosts(): HostModel[] {
    return [...new Set([...[...this.visible].flatMap((c) => c.host ?? []), ...this.mounted.keys()])];
  }

  /**
   * The frame of some samples: each of them if a point stands for one (grain 0),
   * else an envelope. The code for envelopes is loaded when somebody first looks at
   * a long window; until then the frame is empty.
   */
  frameOf(series: Series[], from: number, to: number, offset: number, grain: number): Frame {
    if (grain === 0) return buildFrame(series, from, to, offset);
    if (this.envelope !== null && this.envelope !== 'loading') return this.envelope.buildEnvelope(series, from, to, offset, grain);
    if (this.envelope === null) {
      this.envelope = 'loading';
      import('./envelope.ts').then(
        (m) => {
          this.envelope = m;
          this.drawAll();
        },
        () => (this.envelope = null), // the next frame tries again
      );
    }
    return { times: [], columns: series.map(() => []), lonely: series.map(() => []) };
  }

  /** Draws the charts of a host in the next frame. */
  refresh(host: HostModel): void {
    for (const chart of this.visible) if (chart.host === host) this.request(chart);
  }

  /** While the link is down, charts stand still and show the last known state. */
  hold(live: boolean): void {
    if (live === this.wasLive) return;
    this.wasLive = live;
    this.heldAt = live ? null : Date.now();
    this.drawAll();
  }

  add(chart: Drawable, plot: Element): void {
    this.crossing.observe(chart);
    this.sizing.observe(plot);
  }

  remove(chart: Drawable, plot: Element): void {
    this.crossing.unobserve(chart);
    this.sizing.unobserve(plot);
    this.visible.delete(chart);
    this.queue.delete(chart);
    this.dirty.delete(chart);
    this.kept = this.kept.filter((c) => c !== chart);
    chart.destroy();
  }

  /** Draws a chart in the next frame. */
  request(chart: Drawable | null): void {
    if (!chart || !this.visible.has(chart)) return;
    this.dirty.add(chart);
    this.ask();
  }

  private tick(): void {
    this.timer = setTimeout(() => {
      if (this.live) {
        this.due = true;
        this.ask();
      }
      this.tick();
    }, period);
  }

  private drawAll(): void {
    this.due = this.must = true;
    this.ask();
  }

  private ask(): void {
    // While the tab is hidden, drawing waits for its return, and is done once.
    if (!this.frame) this.frame = requestAnimationFrame(() => this.paint());
  }

  private paint(): void {
    this.frame = 0;
    const charts = this.due ? [...this.visible] : [...this.dirty];
    // Layout and painting of texts cost more than drawing plots, so with very many
    // charts they take turns.
    if (this.due) this.turn++;
    const turns = this.due && !this.must ? Math.ceil(charts.length / crowd) : 1;
    charts.forEach((chart, i) => {
      if (chart.created) chart.draw(this.must || this.dirty.has(chart), (i + this.turn) % turns === 0);
    });
    this.due = this.must = false;
    this.dirty.clear();
    this.makeSome();
  }

  /** Makes plots that have come into view, when scrolling stops. */
  private makeSome(): void {
    if (this.queue.size === 0) return;
    const begin = performance.now();
    if (begin - this.lastScroll >= scrollRest) {
      for (const chart of this.queue) {
        this.queue.delete(chart);
        chart.create();
        chart.draw(true);
        if (performance.now() - begin > createBudget) break;
      }
    }
    if (this.queue.size > 0) this.ask();
  }

  private cross(entries: IntersectionObserverEntry[]): void {
    for (const e of entries) {
      const chart = e.target as Drawable;
      if (e.isIntersecting) this.enter(chart);
      else this.leave(chart);
    }
    this.ask();
  }

  private enter(chart: Drawable): void {
    if (!chart.isConnected) return;
    this.visible.add(chart);
    this.kept = this.kept.filter((c) => c !== chart);
    if (chart.created) this.dirty.add(chart);
    else this.queue.add(chart);
  }

  private leave(chart: Drawable): void {
    this.visible.delete(chart);
    this.queue.delete(chart);
    this.dirty.delete(chart);
    if (!chart.created) return;
    this.kept.push(chart);
    if (this.kept.length > pool) this.kept.shift()?.destroy();
  }

  /** Plots contain their colours, so a new theme rebuilds them. */
  private recolour(): void {
    for (const chart of this.kept.splice(0)) chart.destroy();
    for (const chart of this.visible) {
      chart.destroy();
      this.queue.add(chart);
    }
    this.ask();
  }
}
