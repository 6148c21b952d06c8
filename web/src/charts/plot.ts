// The options of a plot, as a pure function of its content.

import type uPlot from 'uplot';
import { increments, leastTop, tick, type Unit } from '../lib/units.ts';
import { clock, clockOrDay } from '../lib/time.ts';
import { faint, seriesColours, type Colours } from './theme.ts';

export interface Line {
  /** Place among the colours; beyond their number lines are dashed. */
  slot: number;
  shown: boolean;
}

export interface PlotSpec {
  unit: Unit;
  width: number;
  height: number;
  colours: Colours;
  lines: Line[];
  /** Each line is a band: the columns are the lines in the middle, their upper edges, and their lower edges. */
  bands: boolean;
  /** Rows of a line (from 0) that are connected with nothing, drawn as points. */
  lonely: (line: number) => number[];
  onCursor: (u: uPlot) => void;
  /** The user has dragged over a span of time, in milliseconds. */
  onSelect: (from: number, to: number) => void;
  onDouble: () => void;
}

const font = '11px system-ui, sans-serif';
/** One width for all units, so that plots below each other line up. */
const axisWidth = 54;
/** The height in pixels from which a plot counts as large. */
const tall = 160;
/** Seconds between labels of the time axis. */
const timeSteps = [5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800];

export const dashes = [[], [6, 3], [2, 2], [8, 3, 2, 3]];

export function plotOptions(spec: PlotSpec): uPlot.Options {
  const { colours, unit } = spec;
  const axis = { stroke: colours.axis, font, ticks: { show: false } };
  const usual = increments(unit);
  const stepsOf = (span: number): number[] => (span > usual[usual.length - 1] ? increments(unit, span) : usual);
  const grid = { stroke: colours.grid, width: 1 };
  return {
    width: spec.width,
    height: spec.height,
    padding: [8, 12, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false },
      bind: { dblclick: () => () => (spec.onDouble(), null) },
      sync: { key: 'vedette', setSeries: false, scales: ['x', null] },
      points: { size: 7, width: 2, stroke: () => colours.surface },
    },
    scales: {
      x: { time: false, auto: false },
      y: { range: (_, min, max) => range(min, max, unit, stepsOf) },
    },
    axes: [
      {
        ...axis,
        grid: { ...grid, show: false },
        size: 22,
        gap: 4,
        space: 72,
        incrs: timeSteps,
        splits: (_u, _axis, min, max, step) => timeSplits(min, max, step),
        values: (u, splits, _axis, _space, step) => splits.map((s) => timeLabel(u, s, step < 60)),
      },
      {
        ...axis,
        grid,
        size: axisWidth,
        gap: 6,
        space: spec.height > tall ? 34 : 22,
        incrs: (_u, _axis, min, max) => stepsOf(max - min),
        values: (_, splits) => splits.map((v) => tick(v, unit)),
      },
    ],
    series: [
      {},
      ...spec.lines.map((line, i) => seriesOptions(spec, line, i)),
      ...(spec.bands ? [...spec.lines, ...spec.lines].map((line) => edgeOptions(line)) : []),
    ],
    bands: spec.bands ? spec.lines.map((line, i) => bandOptions(spec, line, i)) : [],
    hooks: { setCursor: [spec.onCursor], setSelect: [(u) => select(u, spec)] },
  };
}

const leastDrag = 4; // pixels

function select(u: uPlot, spec: PlotSpec): void {
  const { left, width } = u.select;
  if (width < leastDrag) return;
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  spec.onSelect(u.posToVal(left, 'x') * 1000, u.posToVal(left + width, 'x') * 1000);
}

/** The edge of a band, which is not drawn itself. */
function edgeOptions(line: Line): uPlot.Series {
  return { show: line.shown, width: 0, points: { show: false } };
}

/** Round times of day where we are, not in Greenwich. */
export function timeSplits(min: number, max: number, step: number): number[] {
  const ahead = new Date(max * 1000).getTimezoneOffset() * 60;
  const out: number[] = [];
  for (let t = Math.ceil((min - ahead) / step) * step + ahead; t <= max; t += step) out.push(t);
  return out;
}

/** A label that would cross the edges is left out. */
function timeLabel(u: uPlot, seconds: number, fine: boolean): string {
  const text = fine ? clock(seconds * 1000) : clockOrDay(seconds * 1000);
  const half = text.length * 3.2;
  const at = u.valToPos(seconds, 'x');
  const width = u.bbox.width / devicePixelRatio;
  return at < half - 4 || at + half > width + 12 ? '' : text;
}

function seriesOptions(spec: PlotSpec, line: Line, i: number): uPlot.Series {
  const colour = spec.colours.lines[line.slot % seriesColours];
  const alone = spec.lines.length === 1;
  return {
    show: line.shown,
    stroke: colour,
    // Without a GPU, drawing a wider line costs five times as much.
    width: spec.height > tall ? 1.5 : 1,
    dash: dashes[Math.floor(line.slot / seriesColours) % dashes.length],
    fill: alone && !spec.bands ? faint(colour, 0.12) : undefined,
    points: { show: true, size: 4, fill: colour, stroke: colour, filter: () => spec.lonely(i) },
  };
}

/** The area between the lowest and the highest. */
function bandOptions(spec: PlotSpec, line: Line, i: number): uPlot.Band {
  const colour = spec.colours.lines[line.slot % seriesColours];
  const upper = i + 1 + spec.lines.length;
  return { series: [upper, upper + spec.lines.length], fill: faint(colour, 0.3) };
}

/** The ends of an axis, limited because a larger span would be infinite. */
const most = Number.MAX_VALUE / 4;

/**
 * The range of the value axis: from zero, unless values are negative, to the next
 * round number, so that it does not change with every sample.
 */
export function range(min: number | null, max: number | null, unit: Unit, stepsOf = (span: number) => increments(unit, span)): [number, number] {
  if (min === null || max === null) return [0, leastTop(unit)];
  const top = Math.min(Math.max(max, min < 0 ? 0 : leastTop(unit)), most);
  const bottom = Math.max(Math.min(min, 0), -most);
  const span = top - bottom;
  const step = stepsOf(span).find((s) => s >= span / 4) ?? span;
  let ceiling = Math.ceil(top / step - 1e-9) * step;
  if (unit === 'percent' && max <= 100) ceiling = Math.min(ceiling, 100);
  return [bottom < 0 ? Math.floor(bottom / step + 1e-9) * step : 0, ceiling || step];
}
