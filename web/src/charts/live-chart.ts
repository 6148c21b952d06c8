// <live-chart>: one chart with its legend. It reads the tracks of its series when the
// view's loop tells it to draw; nothing reactive happens in between.
//
// Properties: chart (its data), view (shared by all), large (room for more lines, and
// the features of large.ts), page (what the page of a host gives its charts). `series`
// returns the drawn samples as they arrived.

import { effect } from '@preact/signals';
import type { Chart, HostModel } from '../data/store.ts';
import { Captions } from './captions.ts';
import type { ChartPage } from './chart-page.ts';
import { Cursor } from './cursor.ts';
import { Drawing } from './drawing.ts';
import type { Frame } from './frame.ts';
import { menuButton } from './heading.ts';
import type { Large } from './large.ts';
import { Legend } from './legend.ts';
import { Lines } from './lines.ts';
import { rawSeries, type RawSeries } from './raw.ts';
import type { Drawable, View } from './view.ts';

const longest = 5_000; // ms for which the drawing of a long window stays valid

export class LiveChart extends HTMLElement implements Drawable {
  chart!: Chart;
  view!: View;
  large = false;
  page?: ChartPage;

  /** The milliseconds of a point for which the plot was made. */
  private grain = 0;
  private drawnAt = 0;
  private stopEffect?: () => void;
  private captions!: Captions;
  private more: Large | undefined;
  private readonly box = document.createElement('div');
  private readonly lines = new Lines(() => this.chart, () => this.large);
  private readonly drawing = new Drawing(this.box);
  private readonly cursor = new Cursor(() => this.drawing.plot, () => this.drawing.frame.times, (row) => this.captions.tell(row));
  private readonly legend = new Legend({
    toggle: (line, solo) => this.toggle(line, solo),
    expand: () => (this.lines.expand(), this.draw(true)),
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
    this.more?.start();
    this.view.add(this, this.box);
  }

  disconnectedCallback(): void {
    this.stopEffect?.();
    this.more?.stop();
    this.view.remove(this, this.box);
  }

  /** The samples in memory, without corrections for clocks, rates and windows. */
  get series(): RawSeries[] {
    return rawSeries(this.chart);
  }

  /** For tests, the last drawing: times in seconds, a column for each line. */
  get drawn(): { lines: string[]; frame: Frame } {
    return { lines: this.lines.drawn.map((s) => s.id), frame: this.drawing.frame };
  }
  get host(): HostModel {
    return this.chart.host;
  }

  get created(): boolean {
    return this.drawing.plot !== null;
  }

  create(): void {
    this.lines.choose(Date.now());
    this.grain = this.view.grain;
    // Lines are bands from the lowest to the highest; growth of counters is an average.
    const bands = this.grain > 0 && this.lines.drawn.some((s) => !s.rate);
    this.captions.write(this.grain, bands);
    this.drawing.create(this, {
      unit: this.chart.unit,
      lines: this.lines.looks,
      bands,
      onCursor: () => this.captions.values(this.cursor.row),
      onSelect: (from, to) => this.view.time.show(from, to),
      onDouble: () => this.view.time.zoomOut(),
      shape: this.more?.shape,
    });
  }

  destroy(): void {
    this.drawing.destroy();
  }

  fit(width: number, height: number): void {
    this.drawing.fit(width, height);
  }

  draw(must: boolean, words = true): void {
    const others = this.lines.choose(Date.now());
    if (this.more?.look() || others || this.grain !== this.view.grain) this.create();
    // A second is less than a pixel, so only the values change.
    else if (!must && Date.now() - this.drawnAt < Math.min(longest, this.grain / 2)) return this.captions.values(this.cursor.row, words);
    if (!this.created) return;
    this.drawnAt = Date.now();
    const { offset } = this.host.clock;
    const to = this.view.edgeOf(this.host);
    const from = to - this.view.span;
    this.drawing.draw(this.view.frameOf(this.lines.drawn, from - offset, to - offset, offset, this.grain), from, to);
    this.cursor.keep();
    this.legend.setMore(this.lines.more);
    this.captions.values(this.cursor.row, words);
    this.more?.place();
  }

  private build(): void {
    const { chart, view, lines, drawing, legend, box, page } = this;
    lines.hide(page?.hidden.peek() ?? []);
    this.captions = new Captions({ chart: () => this.chart, view, lines, drawing, legend, box });
    const { heading } = this.captions;
    heading.add(menuButton(chart.name, () => ({ element: this, chart, mayPin: view.mayChange.peek(), frame: drawing.frame, names: this.captions.drawn })));
    this.cursor.listen(box);
    this.append(heading.element, box, legend.element);
    if (this.large) void import('./large.ts').then(({ Large }) => this.add(new Large({ element: this, box, captions: this.captions, drawing, lines })));
  }

  private add(more: Large): void {
    this.more = more;
    if (this.isConnected) more.start();
    if (this.created) this.create();
    this.view.request(this);
  }

  private toggle(line: number, solo: boolean): void {
    const { lines, page } = this;
    lines.toggle(line, solo);
    this.drawing.show(lines.looks);
    this.legend.press(lines.looks);
    if (page) page.hidden.value = lines.hiddenBeside(page.hidden.peek());
    this.view.request(this);
  }
}
