// The plot of a chart: makes it, gives it what a frame holds, and forgets it.

import uPlot from 'uplot';
import type { Unit } from '../lib/units.ts';
import type { Column, Frame } from './frame.ts';
import { plotOptions, type Line } from './plot.ts';
import { resolveColours } from './theme.ts';

export interface DrawingSpec {
  unit: Unit;
  lines: Line[];
  /** Lines are bands from the lowest to the highest, with a line in the middle. */
  bands: boolean;
  onCursor: () => void;
  /** Somebody has dragged over a part of time, in milliseconds. */
  onSelect: (from: number, to: number) => void;
  onDouble: () => void;
}

/** The columns of a plot: lines, then, where they are bands, their upper and their lower edges. */
export function plotColumns(frame: Frame, bands: boolean): Column[] {
  if (!bands) return frame.columns;
  const lows = frame.columns.map((high, i) => lowOf(frame, high, i));
  const middles = frame.middles ?? frame.columns.map((high, i) => high.map((v, r) => middle(v, lows[i][r])));
  return [...middles, ...frame.columns, ...lows];
}

/** A counter has no lowest: its growth is an average. */
function lowOf(frame: Frame, high: Column, line: number): Column {
  const low = frame.lows?.[line];
  return high.map((v, r) => (typeof v === 'number' && typeof low?.[r] !== 'number' ? v : (low?.[r] ?? v)));
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
    this.plot = new uPlot(
      plotOptions({
        ...spec,
        width: this.width,
        height: this.height,
        colours: resolveColours(near),
        lonely: (line) => this.frame.lonely[line] ?? [],
      }),
      [[], ...Array.from({ length: columns }, () => [])] as unknown as uPlot.AlignedData,
      this.box,
    );
  }

  destroy(): void {
    this.plot?.destroy();
    this.plot = null;
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

  show(line: number, show: boolean): void {
    for (let i = line; i < (this.bands ? 3 : 1) * this.count; i += this.count) {
      this.plot?.setSeries(i + 1, { show }, false);
    }
  }
}
