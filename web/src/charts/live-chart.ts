// <live-chart>: one chart with its legend. It reads the tracks of its series
// when the view's loop tells it to draw; nothing reactive happens in between.
//
// Properties: chart (what is shown), view (shared by all), large (room for more
// lines), boosts (for a button that makes samples come faster). `series` gives the samples that are drawn, as they came.

import { effect } from '@preact/signals';
import uPlot from 'uplot';
import type { Boosts } from '../data/boosts.ts';
import type { Chart, HostModel, Series } from '../data/store.ts';
import { labelText, lineNames } from '../data/store.ts';
import { clock, since } from '../lib/time.ts';
import { duration, format, unitNames } from '../lib/units.ts';
import { BoostButton } from './boost-button.ts';
import { buildEnvelope } from './envelope.ts';
import { buildFrame, gapSteps, latest, topLines, valueText, type Frame } from './frame.ts';
import { isLong, Legend } from './legend.ts';
import { plotOptions } from './plot.ts';
import { tableOf } from './table.ts';
import { resolveColours } from './theme.ts';
import type { Drawable, View } from './view.ts';

const fewLines = 6;
const fewLongLines = 5; // of names that take a row each
const someLines = 12;
const manyLines = 200; // even when all are asked for
const longest = 5_000; // ms for which the drawing of a long window may stand
const chooseAgain = 15_000; // ms between two choices of the top lines

/** The samples of one line, as they came from the master. */
export interface RawSeries {
  key: string;
  item: string;
  labels: Record<string, string>;
  times: number[];
  values: number[];
}

export class LiveChart extends HTMLElement implements Drawable {
  chart!: Chart;
  view!: View;
  large = false;
  boosts?: Boosts;

  private plot: uPlot | null = null;
  private width = 300;
  private height = 128;
  private frame: Frame = { times: [], columns: [], lonely: [] };
  private lines: Series[] = [];
  /** Milliseconds that a point stands for, as the plot was made for. */
  private grain = 0;
  private drawnAt = 0;
  private names = new Map<Series, string>();
  private expanded = false;
  private readonly hiddenLines = new Set<string>();
  private readonly slots = new Map<string, number>();
  private chosenAt = 0;
  private stopEffect: (() => void) | undefined;

  private boost: BoostButton | undefined;

  private readonly heading = document.createElement('header');
  private readonly unit = document.createElement('span');
  private readonly at = document.createElement('time');
  private readonly box = document.createElement('div');
  private readonly legend = new Legend({
    toggle: (line, solo) => this.toggle(line, solo),
    expand: () => this.expand(),
  });

  connectedCallback(): void {
    const { chart } = this;
    this.dataset.host = chart.host.name;
    this.dataset.chart = chart.name;
    this.dataset.unit = chart.unit;
    if (!this.firstChild) this.build();
    this.stopEffect = effect(() => {
      void chart.revision.value;
      this.chosenAt = 0;
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
    return this.chart.series.map(({ key, item, labels, track }) => ({
      key,
      item,
      labels,
      times: Array.from(track.times.subarray(track.start, track.end)),
      values: Array.from(track.values.subarray(track.start, track.end)),
    }));
  }

  /** What was drawn last, for tests: times in seconds, a column for each line. */
  get drawn(): { lines: string[]; frame: Frame } {
    return { lines: this.lines.map((s) => s.id), frame: this.frame };
  }

  get host(): HostModel {
    return this.chart.host;
  }

  /** Whether lines are bands from the lowest to the highest; growth of counters is an average. */
  private get bands(): boolean {
    return this.grain > 0 && this.lines.some((s) => !s.rate);
  }

  get created(): boolean {
    return this.plot !== null;
  }

  create(): void {
    this.destroy();
    this.choose();
    this.grain = this.view.grain;
    const colours = resolveColours(this);
    this.name();
    this.plot = new uPlot(
      plotOptions({
        unit: this.chart.unit,
        width: this.width,
        height: this.height,
        colours,
        lines: this.lines.map((s) => this.look(s)),
        bands: this.bands,
        lonely: (line) => this.frame.lonely[line] ?? [],
        onCursor: () => this.showValues(),
      }),
      [[], ...this.lines.map(() => []), ...(this.bands ? this.lines.map(() => []) : [])] as unknown as uPlot.AlignedData,
      this.box,
    );
  }

  private look(s: Series): { slot: number; shown: boolean } {
    return { slot: this.slots.get(s.id) ?? 0, shown: !this.hiddenLines.has(s.id) };
  }

  /** Writes the title and the legend. */
  private name(): void {
    const { names, shared } = lineNames(this.chart);
    this.names = names;
    const said = [shared, unitNames[this.chart.unit], this.sampling()].filter(Boolean).join(', ');
    this.describe(said);
    const lines = this.lines.map((s) => ({
      name: names.get(s) ?? s.key,
      full: s.key + labelText(s.labels),
      ...this.look(s),
    }));
    this.legend.show(lines, this.more(), this.bands);
  }

  /** Says what is drawn, to those who see it and to those who do not. */
  private describe(said: string): void {
    this.unit.textContent = said;
    const what = [this.chart.name, said].filter(Boolean).join(', ');
    this.box.setAttribute('aria-label', `${what}, on ${this.host.name}. Arrow keys read values.`);
  }

  /** How many samples became one point, or '' where each is drawn. */
  private sampling(): string {
    if (this.grain === 0) return '';
    const of = duration(this.grain / 1000);
    return this.bands ? `lowest to highest of ${of}` : `average over ${of}`;
  }

  /** The size is told, not asked for: asking between two charts would lay out the page for each. */
  fit(width: number, height: number): void {
    if (width < 1 || height < 1) return;
    this.width = Math.floor(width);
    this.height = Math.floor(height);
    const { plot } = this;
    if (plot && (plot.width !== this.width || plot.height !== this.height)) {
      plot.setSize({ width: this.width, height: this.height });
    }
  }

  destroy(): void {
    this.plot?.destroy();
    this.plot = null;
  }

  draw(must: boolean): void {
    if (this.choose() || this.grain !== this.view.grain) this.create();
    else if (!must && Date.now() - this.drawnAt < Math.min(longest, this.grain / 2)) {
      this.showValues(); // a second is less than a pixel
      return;
    }
    const { plot } = this;
    if (!plot) return;
    this.drawnAt = Date.now();
    const width = this.view.span;
    const right = this.view.edgeOf(this.host);
    this.frame = this.frameOf(right - width, right);
    const { times, columns, lows } = this.frame;
    const lower = this.bands ? (lows ?? columns) : [];
    plot.batch(() => {
      plot.setData([times, ...columns, ...lower] as uPlot.AlignedData, false);
      plot.setScale('x', { min: (right - width) / 1000, max: right / 1000 });
    });
    this.keepCursor(plot);
    this.showValues();
  }

  private frameOf(left: number, right: number): Frame {
    const { offset } = this.host.clock;
    if (this.grain === 0) return buildFrame(this.lines, left - offset, right - offset, offset);
    return buildEnvelope(this.lines, left - offset, right - offset, offset, this.grain);
  }

  private build(): void {
    const { chart } = this;
    const title = document.createElement(this.large ? 'h2' : 'h3');
    title.textContent = chart.name;
    this.unit.className = 'unit';
    this.describe(unitNames[chart.unit]);
    this.heading.append(title, this.unit, this.at);
    if (this.boosts) {
      this.boost = new BoostButton(chart, this.boosts, () => this.redraw());
      this.heading.append(this.boost.element);
    }
    if (this.large) this.heading.append(this.tableButton());
    this.box.className = 'plot';
    this.box.tabIndex = 0;
    this.box.setAttribute('role', 'img');
    this.box.addEventListener('keydown', (e) => this.key(e));
    this.box.addEventListener('blur', () => this.moveCursor(null));
    this.append(this.heading, this.box, this.legend.element);
  }

  /** Draws what has come, where each sample is drawn at all. */
  private redraw(): void {
    if (this.grain === 0 && this.view.pausedAt.peek() === null) this.view.request(this);
  }

  /** Opens and closes the newest samples as a table below the legend. */
  private tableButton(): HTMLButtonElement {
    const button = document.createElement('button');
    let table: HTMLElement | undefined;
    button.type = 'button';
    button.className = 'as-table';
    button.textContent = 'Table';
    button.setAttribute('aria-pressed', 'false');
    button.setAttribute('aria-label', `Table of ${this.chart.name}`);
    button.addEventListener('click', () => {
      table?.remove();
      const open = button.getAttribute('aria-pressed') !== 'true';
      button.setAttribute('aria-pressed', String(open));
      if (!open) return;
      const names = this.lines.map((s) => this.names.get(s) ?? s.key);
      table = tableOf(this.frame, names, this.chart);
      this.append(table);
    });
    return button;
  }

  private most(expanded = this.expanded): number {
    if (expanded) return manyLines;
    if (this.large) return someLines;
    return hasLongNames(this.chart) ? fewLongLines : fewLines;
  }

  /** What the button below the legend says, or '' where none is needed. */
  private more(): string {
    const rest = this.chart.series.length - this.lines.length;
    if (rest > 0) return `+${rest} more`;
    return this.expanded && this.lines.length > this.most(false) ? 'fewer' : '';
  }

  /** Chooses the lines anew where it is time to; true where they changed. */
  private choose(): boolean {
    const now = Date.now();
    if (now - this.chosenAt < chooseAgain) return false;
    this.chosenAt = now;
    const before = new Set(this.lines.map((s) => s.id));
    const lines = topLines(this.chart.series, this.most(), before);
    const same = lines.length === this.lines.length && lines.every((s, i) => s === this.lines[i]);
    this.lines = lines;
    if (same) {
      this.legend.setMore(this.more());
      return false;
    }
    this.assignSlots();
    return true;
  }

  /** A line keeps its colour for as long as it is drawn. */
  private assignSlots(): void {
    const drawn = new Set(this.lines.map((s) => s.id));
    for (const id of [...this.slots.keys()]) if (!drawn.has(id)) this.slots.delete(id);
    const taken = new Set(this.slots.values());
    let free = 0;
    for (const { id } of this.lines) {
      if (this.slots.has(id)) continue;
      while (taken.has(free)) free++;
      taken.add(free);
      this.slots.set(id, free);
    }
  }

  private expand(): void {
    this.expanded = !this.expanded;
    this.chosenAt = 0;
    this.draw(true);
  }

  /** Shows or hides a line; solo shows it alone, and all when it is alone. */
  private toggle(line: number, solo: boolean): void {
    const { id } = this.lines[line];
    const hidden = this.hiddenLines;
    if (solo) {
      const alone = !hidden.has(id) && this.lines.every((s) => s.id === id || hidden.has(s.id));
      hidden.clear();
      if (!alone) for (const s of this.lines) if (s.id !== id) hidden.add(s.id);
    } else if (!hidden.delete(id)) {
      hidden.add(id);
    }
    this.lines.forEach((s, i) => {
      const show = !hidden.has(s.id);
      this.plot?.setSeries(i + 1, { show }, false);
      if (this.bands) this.plot?.setSeries(i + 1 + this.lines.length, { show }, false);
      this.legend.press(i, !hidden.has(s.id));
    });
    this.view.request(this);
  }

  /** After new data the crosshair stands where the mouse is, on other samples. */
  private keepCursor(plot: uPlot): void {
    const { left, top } = plot.cursor;
    if (left !== undefined && left >= 0) plot.setCursor({ left, top: top ?? 0 }, false);
  }

  /** Legend and time: at the crosshair, or the newest. */
  private showValues(): void {
    const { plot } = this;
    if (!plot) return;
    const index = plot.cursor.idx ?? null;
    const time = index === null ? undefined : this.frame.times[index];
    if (index === null || time === undefined) {
      if (this.at.textContent) this.at.textContent = '';
      this.legend.values(this.lines.map((s) => this.newest(s)));
      return;
    }
    this.at.textContent = this.timeText(time);
    this.legend.values(this.lines.map((_, i) => this.valueAt(i, index)));
  }

  private newest(series: Series): string {
    const { time, value } = latest(series);
    const { track } = series;
    const { host } = this.chart;
    const age = this.view.edge - time - host.clock.offset;
    const stale = !host.gone && age > Math.max(5_000, 2 * gapSteps * track.step());
    return stale && this.view.pausedAt.peek() === null ? '–' : this.text(value);
  }

  /** The value of a line at a row, or at the row before that has one. */
  private valueAt(line: number, row: number): string {
    const column = this.frame.columns[line] ?? [];
    let r = row;
    while (r > 0 && column[r] === undefined) r--;
    return short(valueText(this.frame, line, r, this.chart.unit)) || '–';
  }

  private timeText(seconds: number): string {
    return this.grain > 0 ? since(seconds * 1000, Date.now()) : clock(seconds * 1000);
  }

  private text(value: number): string {
    return short(format(value, this.chart.unit));
  }

  private key(e: KeyboardEvent): void {
    const { plot } = this;
    const last = this.frame.times.length - 1;
    if (!plot || last < 0) return;
    const at = plot.cursor.idx ?? last;
    const leap = e.shiftKey ? 10 : 1;
    switch (e.key) {
      case 'ArrowLeft':
        this.moveCursor(Math.max(0, at - leap));
        break;
      case 'ArrowRight':
        this.moveCursor(Math.min(last, at + leap));
        break;
      case 'Home':
        this.moveCursor(0);
        break;
      case 'End':
        this.moveCursor(last);
        break;
      case 'Escape':
        this.moveCursor(null);
        break;
      default:
        return;
    }
    e.preventDefault();
  }

  private moveCursor(row: number | null): void {
    const { plot } = this;
    if (!plot) return;
    if (row === null) {
      plot.setCursor({ left: -10, top: -10 });
      this.view.status.value = '';
      return;
    }
    plot.setCursor({ left: plot.valToPos(this.frame.times[row], 'x'), top: 0 });
    const values = this.lines.map((s, i) => `${this.names.get(s)} ${this.valueAt(i, row)}`);
    this.view.status.value = `${this.timeText(this.frame.times[row])}: ${values.join(', ')}`;
  }
}

/** A value for the legend; that it is per second stands in the title. */
function short(text: string): string {
  return text.replace(/\/s(?= |$)/g, '');
}

function hasLongNames(chart: Chart): boolean {
  return [...lineNames(chart).names.values()].some(isLong);
}

export function defineLiveChart(): void {
  if (!customElements.get('live-chart')) customElements.define('live-chart', LiveChart);
}
