// The button that makes the inspectors of a chart run faster while it is pressed.

import { effect } from '@preact/signals';
import { boostedInterval, type Boosts } from '../data/boosts.ts';
import { inspectorOf, type Chart } from '../data/store.ts';
import type { InspectorStatus } from '../data/wire.ts';

export class BoostButton {
  readonly element = document.createElement('button');
  private release: (() => void)[] = [];
  private timer: ReturnType<typeof setInterval> | undefined;
  private stopEffect: (() => void) | undefined;

  constructor(
    private readonly chart: Chart,
    private readonly boosts: Boosts,
    /** Redraws the chart, as often as samples arrive. */
    private readonly draw: () => unknown,
  ) {
    const { element } = this;
    element.type = 'button';
    element.className = 'as-table';
    element.addEventListener('click', () => (this.pressed ? this.end() : this.begin()));
    this.say('');
  }

  /** Follows the host's state. stop() ends that. */
  start(): void {
    this.stopEffect = effect(() => this.show());
  }

  stop(): void {
    this.stopEffect?.();
    this.end();
  }

  private get pressed(): boolean {
    return this.release.length > 0;
  }

  /** The inspectors that yield the lines of the chart. */
  private inspectors(): InspectorStatus[] {
    void this.chart.revision.value;
    const all = this.chart.series.map((s) => inspectorOf(this.chart.host, s.key));
    return [...new Set(all)].filter((i): i is InspectorStatus => i !== undefined && i.interval_ms > boostedInterval);
  }

  private show(): void {
    const { element, boosts, chart } = this;
    const inspectors = this.inspectors();
    element.hidden = !boosts.allowed.value || inspectors.length === 0 || chart.host.gone;
    const fastest = Math.min(...inspectors.map((i) => i.boosted_ms || Infinity));
    const text = fastest === Infinity ? 'Boost' : `Boost ${Number((1000 / fastest).toFixed(1))} Hz`;
    element.textContent = text;
    element.setAttribute('aria-label', `${text} ${chart.name}`);
  }

  private begin(): void {
    const { chart, boosts } = this;
    const failed = (why: string): void => {
      this.end();
      this.say(why);
    };
    this.say('');
    this.release = this.inspectors().map((i) => boosts.want(chart.host.name, i.name, failed));
    if (!this.pressed) return;
    this.element.setAttribute('aria-pressed', 'true');
    this.timer = setInterval(this.draw, boostedInterval);
  }

  private end(): void {
    for (const release of this.release.splice(0)) release();
    clearInterval(this.timer);
    this.element.setAttribute('aria-pressed', 'false');
  }

  /** Says what the button does, or why it failed. */
  private say(why: string): void {
    this.element.setAttribute('aria-pressed', 'false');
    this.element.title = why || 'Ten samples a second while you watch; what is stored stays as it is';
  }
}
