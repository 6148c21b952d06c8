// The texts of a chart: its heading, the names and values in its legend, and what a
// screen reader reads.

import type { Chart, Series } from '../data/store.ts';
import { labelText, lineNames } from '../data/store.ts';
import { unitNames, type Unit } from '../lib/units.ts';
import type { Drawing } from './drawing.ts';
import type { Frame } from './frame.ts';
import { Heading } from './heading.ts';
import { sharedStart, type Legend } from './legend.ts';
import type { Lines } from './lines.ts';
import { lastText, newestText, samplingText, textAt, timeText } from './values.ts';
import type { View } from './view.ts';

/** The columns of a legend: their names, and the cells of a line at the row of the crosshair, or nowhere. */
export interface Sums {
  columns: string[];
  /** `last` is its newest value, or that at the row. */
  cells(frame: Frame, line: number, unit: Unit, row: number | null, last: string): string[];
}

/** What captions describe. */
export interface Captioned {
  /** The current chart; after a host comes back, it is another object with the same name. */
  chart: () => Chart;
  view: View;
  lines: Lines;
  drawing: Drawing;
  legend: Legend;
  box: HTMLElement;
}

export class Captions {
  readonly heading: Heading;
  /** The legend's extra values of each line; null for none. */
  sums: Sums | null = null;
  private names = new Map<Series, string>();
  private grain = 0;

  constructor(private readonly of: Captioned) {
    this.heading = new Heading(of.chart().name);
    this.describe(unitNames[of.chart().unit]);
  }

  /** The names of the drawn lines. */
  get drawn(): string[] {
    return this.of.lines.drawn.map((s) => this.names.get(s) ?? s.key);
  }

  /** Writes the title and the legend. `grain` is the ms that a point stands for. */
  write(grain: number, bands: boolean): void {
    const { lines, legend } = this.of;
    const chart = this.of.chart();
    const { names, shared } = lineNames(chart);
    this.names = names;
    this.grain = grain;
    const shown = lines.drawn.map((s) => {
      return { name: names.get(s) ?? s.key, full: s.key + labelText(s.labels), ...lines.look(s) };
    });
    const start = sharedStart(shown.map((l) => l.name)).trim();
    this.describe([shared, start, unitNames[chart.unit], samplingText(grain, bands)].filter(Boolean).join(', '));
    legend.show(shown, lines.more, bands, this.sums?.columns);
  }

  /** Legend and time: at the row of the crosshair, or for the newest row, which may wait. */
  values(row: number | null, now = true): void {
    if (row === null && !now) return;
    const { view, lines, drawing, legend } = this.of;
    const chart = this.of.chart();
    const { frame } = drawing;
    this.heading.time(row === null ? '' : timeText(frame.times[row], this.grain, Date.now()));
    const edge = view.edge - chart.host.clock.offset;
    const fresh = !chart.host.gone && view.live;
    legend.values(
      lines.drawn.map((s, i) => {
        const { unit } = chart;
        const newest = (): string => (view.place ? lastText(frame, i, unit) : newestText(s, unit, edge, fresh));
        const last = row === null ? newest() : textAt(frame, i, row, unit);
        return this.sums?.cells(frame, i, unit, row, last) ?? [last];
      }),
    );
  }

  /** Tells a screen reader what is at the crosshair. */
  tell(row: number | null): void {
    const { view, drawing } = this.of;
    const chart = this.of.chart();
    const { frame } = drawing;
    const values = (at: number): string[] => this.drawn.map((name, i) => `${name} ${textAt(frame, i, at, chart.unit)}`);
    view.status.value = row === null ? '' : `${timeText(frame.times[row], this.grain, Date.now())}: ${values(row).join(', ')}`;
  }

  /** Describes the chart, visibly and for screen readers. */
  private describe(said: string): void {
    const chart = this.of.chart();
    this.heading.describe(said);
    const what = [chart.name, said].filter(Boolean).join(', ');
    this.of.box.setAttribute('aria-label', `${what}, on ${chart.host.name}. Arrow keys read values.`);
  }
}
