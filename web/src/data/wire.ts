// The protocol's messages to a browser. Their types are generated from rpc/wire; this
// file adds what the master promises beyond them. Times are ms since the epoch, UTC.

import type { HistoryRangeResult, Samples as WireSamples, Series as WireSeries } from './wire.gen.ts';

export type * from './wire.gen.ts';
export type { InfoResult as Info, ReceiptSummary as Summary } from './wire.gen.ts';

/** A series as the master sends it: always with its host. */
export interface Series extends WireSeries {
  host: string;
  kind?: 'gauge' | 'counter';
}

/** The three columns are always present and have the same length. */
export interface Columns {
  t: number[];
  s: number[];
  v: number[];
}

/** Samples by column: sample i is value v[i] of series s[i] at time t[i]. */
export type Samples = Omit<WireSamples, 'series' | keyof Columns> & Columns & { series?: Series[] };

/** Past samples, series by series, each sorted by time. */
export type HistoryRange = Omit<HistoryRangeResult, 'series' | 'means' | keyof Columns> & Columns & { series: Series[] | null; means?: Columns };

export const protocolVersion = 1;
