// The samples of a chart as they came from the master.

import type { Chart } from '../data/store.ts';

/** The samples of one line. */
export interface RawSeries {
  key: string;
  item: string;
  labels: Record<string, string>;
  times: number[];
  values: number[];
}

/** Copies the samples in memory, without corrections for clocks, rates and windows. */
export function rawSeries(chart: Chart): RawSeries[] {
  return chart.series.map(({ key, item, labels, track }) => ({
    key,
    item,
    labels,
    times: Array.from(track.times.subarray(track.start, track.end)),
    values: Array.from(track.values.subarray(track.start, track.end)),
  }));
}
