// <live-chart>: one chart with its legend. It reads the tracks of its series
// when the view's loop tells it to draw; nothing reactive happens in between.
//
// Properties: chart (what is shown), view (shared by all), large (room for more
// lines), boosts (for a button that makes samples come faster). `series` gives
// the samples that are drawn, as they came.

import { effect } from '@preact/signals';
import type { Boosts } from '../data/boosts.ts';
import type { Chart, HostModel } from '../data/store.ts';
import { BoostButton } from './boost-button.ts';
import { Captions } from './captions.ts';
import { Cursor } from './cursor.ts';
import { Drawing } from './drawing.ts';
import { buildEnvelope } from './envelope.ts';
import { buildFrame, type Frame } from './frame.ts';
import { foldButton, menuButton } from './heading.ts';
import { Legend } from './legend.ts';
import { Lines } from './lines.ts';
import { rawSeries, type RawSeries } from './raw.ts';
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
  private stopEffect: (() => void) | undefined;
  private boost: BoostButton | undefined;
  private captions!: Captions;
  private readonly box = document.createElement('div');
  private readonly lines = new Lines(() => this.chart, () => this.large);
  private readonly drawing = new Drawing(this.box);
  private readonly cursor = new Cursor(() => this.drawing.plot, () => this.drawing.frame.times, (row) => this.captions.tell(row));
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
    this.captions.write(this.grain, this.bands);
    this.drawing.create(this, {
      unit: this.chart.unit,
      lines: this.lines.drawn.map((s) => this.lines.look(s)),
      bands: this.bands,
      onCursor: () => this.captions.values(this.cursor.row),
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
      this.captions.values(this.cursor.row); // a second is less than a pixel
      return;
    }
    if (!this.created) return;
    this.drawnAt = Date.now();
    const right = this.view.edgeOf(this.host);
    const left = right - this.view.span;
    this.drawing.draw(this.frameOf(left, right), left, right);
    this.cursor.keep();
    this.legend.setMore(this.lines.more);
    this.captions.values(this.cursor.row);
  }

  private frameOf(left: number, right: number): Frame {
    const { offset } = this.host.clock;
    const { drawn } = this.lines;
    if (this.grain === 0) return buildFrame(drawn, left - offset, right - offset, offset);
    return buildEnvelope(drawn, left - offset, right - offset, offset, this.grain);
  }

  private build(): void {
    const { chart, view, lines, drawing, legend, box } = this;
    this.captions = new Captions({ chart: () => this.chart, view, lines, drawing, legend, box });
    const { heading } = this.captions;
    if (this.boosts) {
      this.boost = new BoostButton(chart, this.boosts, () => this.grain === 0 && this.view.live && this.view.request(this));
      heading.add(this.boost.element);
    }
    if (this.large) {
      heading.add(foldButton('Table', `Table of ${chart.name}`, this, () => import('./table.ts').then((m) => m.tableOf(this.drawing.frame, this.captions.drawn, chart))));
    }
    heading.add(menuButton(chart.name, () => ({ element: this, chart, mayPin: this.view.mayChange.peek(), frame: this.drawing.frame, names: this.captions.drawn })));
    this.box.className = 'plot';
    this.box.tabIndex = 0;
    this.box.setAttribute('role', 'img');
    this.cursor.listen(this.box);
    this.append(heading.element, this.box, this.legend.element);
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

}

export function defineLiveChart(): void {
  if (!customElements.get('live-chart')) customElements.define('live-chart', LiveChart);
}
