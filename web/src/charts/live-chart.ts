// <live-chart>: one chart with its legend. It reads the tracks of its series
// when the view's loop tells it to draw; nothing reactive happens in between.
//
// Properties: chart (what is shown), view (shared by all), large (room for more
// lines), boosts (for a button that makes samples come faster). `series` gives
// the samples that are drawn, as they came.

import { effect } from '@preact/signals';
import type { Boosts } from '../data/boosts.ts';
import type { Chart, HostModel, Series } from '../data/store.ts';
import { labelText, lineNames } from '../data/store.ts';
import { unitNames } from '../lib/units.ts';
import { BoostButton } from './boost-button.ts';
import { Cursor } from './cursor.ts';
import { Drawing } from './drawing.ts';
import { buildEnvelope } from './envelope.ts';
import { buildFrame, type Frame } from './frame.ts';
import { foldButton, Heading, menuButton } from './heading.ts';
import { Legend } from './legend.ts';
import { Lines } from './lines.ts';
import { rawSeries, type RawSeries } from './raw.ts';
import { lastText, newestText, samplingText, textAt, timeText } from './values.ts';
import type { Drawable, View } from './view.ts';

const longest = 5_000; // ms for which the drawing of a long window may stand

export class LiveChart extends HTMLElement implements Drawable {
  chart!: Chart;
  view!: View;
  large = false;
  boosts?: Boosts;

  /** Milliseconds that a point stands for, as the plot was made for. */
  private grain = 0;
  private drawnAt = 0;
  private names = new Map<Series, string>();
  private stopEffect: (() => void) | undefined;
  private boost: BoostButton | undefined;
  private heading!: Heading;
  private readonly box = document.createElement('div');
  private readonly lines = new Lines(() => this.chart, () => this.large);
  private readonly drawing = new Drawing(this.box);
  private readonly cursor = new Cursor(() => this.drawing.plot, () => this.drawing.frame.times, (row) => this.tell(row));
  private readonly legend = new Legend({
    toggle: (line, solo) => this.toggle(line, solo),
    expand: () => {
      this.lines.expand();
      this.draw(true);
    },
  });

  connectedCallback(): void {
    const { chart } = this;
    Object.assign(this.dataset, { host: chart.host.name, chart: chart.name, unit: chart.unit });
    if (!this.firstChild) this.build();
    this.stopEffect = effect(() => {
      void chart.revision.value;
      this.lines.stale();
      this.view.request(this);
    });
    this.boost?.start();
    this.view.add(this, this.box);
  }

  disconnectedCallback(): void {
    this.stopEffect?.();
    this.boost?.stop();
    this.view.remove(this, this.box);
  }

  /** The samples in memory, untouched by clocks, rates and windows. */
  get series(): RawSeries[] {
    return rawSeries(this.chart);
  }

  /** What was drawn last, for tests: times in seconds, a column for each line. */
  get drawn(): { lines: string[]; frame: Frame } {
    return { lines: this.lines.drawn.map((s) => s.id), frame: this.drawing.frame };
  }

  get host(): HostModel {
    return this.chart.host;
  }

  get created(): boolean {
    return this.drawing.plot !== null;
  }

  /** Whether lines are bands from the lowest to the highest; growth of counters is an average. */
  private get bands(): boolean {
    return this.grain > 0 && this.lines.drawn.some((s) => !s.rate);
  }

  create(): void {
    this.lines.choose(Date.now());
    this.grain = this.view.grain;
    this.name();
    this.drawing.create(this, {
      unit: this.chart.unit,
      lines: this.lines.drawn.map((s) => this.lines.look(s)),
      bands: this.bands,
      onCursor: () => this.showValues(),
      onSelect: (from, to) => this.view.time.show(from, to),
      onDouble: () => this.view.time.zoomOut(),
    });
  }

  destroy(): void {
    this.drawing.destroy();
  }

  fit(width: number, height: number): void {
    this.drawing.fit(width, height);
  }

  draw(must: boolean): void {
    if (this.lines.choose(Date.now()) || this.grain !== this.view.grain) this.create();
    else if (!must && Date.now() - this.drawnAt < Math.min(longest, this.grain / 2)) {
      this.showValues(); // a second is less than a pixel
      return;
    }
    if (!this.created) return;
    this.drawnAt = Date.now();
    const right = this.view.edgeOf(this.host);
    const left = right - this.view.span;
    this.drawing.draw(this.frameOf(left, right), left, right);
    this.cursor.keep();
    this.legend.setMore(this.lines.more);
    this.showValues();
  }

  private frameOf(left: number, right: number): Frame {
    const { offset } = this.host.clock;
    const { drawn } = this.lines;
    if (this.grain === 0) return buildFrame(drawn, left - offset, right - offset, offset);
    return buildEnvelope(drawn, left - offset, right - offset, offset, this.grain);
  }

  private build(): void {
    const { chart } = this;
    this.heading = new Heading(chart.name);
    this.describe(unitNames[chart.unit]);
    if (this.boosts) {
      this.boost = new BoostButton(chart, this.boosts, () => this.grain === 0 && this.view.live && this.view.request(this));
      this.heading.add(this.boost.element);
    }
    const names = (): string[] => this.lines.drawn.map((s) => this.names.get(s) ?? s.key);
    if (this.large) {
      this.heading.add(foldButton('Table', `Table of ${chart.name}`, this, () => import('./table.ts').then((m) => m.tableOf(this.drawing.frame, names(), chart))));
    }
    this.heading.add(menuButton(chart.name, () => ({ element: this, chart, mayPin: this.view.mayChange.peek(), frame: this.drawing.frame, names: names() })));
    this.box.className = 'plot';
    this.box.tabIndex = 0;
    this.box.setAttribute('role', 'img');
    this.cursor.listen(this.box);
    this.append(this.heading.element, this.box, this.legend.element);
  }

  /** Writes the title and the legend. */
  private name(): void {
    const { names, shared } = lineNames(this.chart);
    this.names = names;
    this.describe([shared, unitNames[this.chart.unit], samplingText(this.grain, this.bands)].filter(Boolean).join(', '));
    const lines = this.lines.drawn.map((s) => {
      return { name: names.get(s) ?? s.key, full: s.key + labelText(s.labels), ...this.lines.look(s) };
    });
    this.legend.show(lines, this.lines.more, this.bands);
  }

  /** Says what is drawn, to those who see it and to those who do not. */
  private describe(said: string): void {
    this.heading.describe(said);
    const what = [this.chart.name, said].filter(Boolean).join(', ');
    this.box.setAttribute('aria-label', `${what}, on ${this.host.name}. Arrow keys read values.`);
  }

  private toggle(line: number, solo: boolean): void {
    this.lines.toggle(line, solo);
    this.lines.drawn.forEach((s, i) => {
      const { shown } = this.lines.look(s);
      this.drawing.show(i, shown);
      this.legend.press(i, shown);
    });
    this.view.request(this);
  }

  /** Legend and time: at the crosshair, or the newest. */
  private showValues(): void {
    const { frame } = this.drawing;
    const { unit } = this.chart;
    const { row } = this.cursor;
    this.heading.time(row === null ? '' : timeText(frame.times[row], this.grain, Date.now()));
    const edge = this.view.edge - this.host.clock.offset;
    const fresh = !this.host.gone && this.view.live;
    this.legend.values(
      this.lines.drawn.map((s, i) => {
        if (row !== null) return textAt(frame, i, row, unit);
        return this.view.place ? lastText(frame, i, unit) : newestText(s, unit, edge, fresh);
      }),
    );
  }

  /** Tells a reader of the screen what is at the crosshair. */
  private tell(row: number | null): void {
    const { frame } = this.drawing;
    const values = (at: number): string[] => this.lines.drawn.map((s, i) => `${this.names.get(s)} ${textAt(frame, i, at, this.chart.unit)}`);
    const { status } = this.view;
    status.value = row === null ? '' : `${timeText(frame.times[row], this.grain, Date.now())}: ${values(row).join(', ')}`;
  }
}

export function defineLiveChart(): void {
  if (!customElements.get('live-chart')) customElements.define('live-chart', LiveChart);
}
