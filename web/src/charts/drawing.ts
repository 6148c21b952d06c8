// The plot of a chart: creates it, gives it the data of a frame, and frees it.

import uPlot from 'uplot';
import type { Unit } from '../lib/units.ts';
import type { Column, Frame } from './frame.ts';
import { plotOptions, type Line } from './plot.ts';
import { resolveColours } from './theme.ts';

export interface DrawingSpec {
  unit: Unit;
  lines: Line[];
  /** Lines are bands from the lowest to the highest value, with a line in the middle. */
  bands: boolean;
  onCursor: () => void;
  /** The user has dragged over a span of time, in milliseconds. */
  onSelect: (from: number, to: number) => void;
  onDouble: () => void;
  /** Changes how lines are drawn, if not as lines. */
  shape?: (options: uPlot.Options, lines: Line[]) => uPlot.Options;
}

/** The lowest, middle and highest values of a line of a frame; they are the same if a point is a sample. */
export function bandOf(frame: Frame, line: number): [low: Column, middle: Column, high: Column] {
  const high = frame.columns[line] ?? [];
  if (!frame.lows) return [high, high, high];
  // A counter has no lowest value, because its growth is an average.
  const low = high.map((v, r) => frame.lows?.[line]?.[r] ?? v);
  return [low, frame.middles?.[line] ?? high.map((v, r) => middle(v, low[r])), high];
}

/** The columns of a plot: the lines and, if they are bands, their upper and lower edges. */
export function plotColumns(frame: Frame, bands: boolean): Column[] {
  if (!bands) return frame.columns;
  const lines = frame.columns.map((_, i) => bandOf(frame, i));
  return [...lines.map(([, m]) => m), ...frame.columns, ...lines.map(([low]) => low)];
}

function middle(high: Column[number], low: Column[number]): Column[number] {
  return typeof high === 'number' && typeof low === 'number' ? (high + low) / 2 : high;
}

export class Drawing {
  plot: uPlot | null = null;
  frame: Frame = { times: [], columns: [], lonely: [] };
  private width = 300;
  private height = 128;
  private bands = false;
  private count = 0;

  constructor(private readonly box: HTMLElement) {}

  create(near: Element, spec: DrawingSpec): void {
    this.destroy();
    this.bands = spec.bands;
    this.count = spec.lines.length;
    const columns = spec.bands ? 3 * this.count : this.count;
    const options = plotOptions({
      ...spec,
      width: this.width,
      height: this.height,
      colours: resolveColours(near),
      lonely: (line) => this.frame.lonely[line] ?? [],
    });
    this.plot = new uPlot(
      spec.shape ? spec.shape(options, spec.lines) : options,
      [[], ...Array.from({ length: columns }, () => [])] as unknown as uPlot.AlignedData,
      this.box,
    );
  }

  destroy(): void {
    this.plot?.destroy();
    this.plot = null;
  }

  /** The size is passed in, because reading it between two charts would cause a layout for each. */
  fit(width: number, height: number): void {
    if (width < 1 || height < 1) return;
    this.width = Math.floor(width);
    this.height = Math.floor(height);
    const { plot } = this;
    if (plot && (plot.width !== this.width || plot.height !== this.height)) {
      plot.setSize({ width: this.width, height: this.height });
    }
  }

  /** Draws a frame from one time to another (ms). */
  draw(frame: Frame, from: number, to: number): void {
    const { plot } = this;
    if (!plot) return;
    this.frame = frame;
    plot.batch(() => {
      plot.setData([frame.times, ...plotColumns(frame, this.bands)] as uPlot.AlignedData, false);
      plot.setScale('x', { min: from / 1000, max: to / 1000 });
    });
  }

  /** Shows or hides each line. */
  show(lines: { shown: boolean }[]): void {
    for (let i = 0; i < (this.bands ? 3 : 1) * this.count; i++) {
      const show = lines[i % this.count]?.shown ?? true;
      if (this.plot && this.plot.series[i + 1].show !== show) this.plot.setSeries(i + 1, { show }, false);
    }
  }
}
