// The messages of the protocol that a browser reads. Their types are generated
// from rpc/wire; what this file adds is what the master promises beyond them.
// Times are milliseconds since the epoch, UTC.

import type { HistoryRangeResult, Samples as WireSamples, Series as WireSeries } from './wire.gen.ts';

export type * from './wire.gen.ts';
export type { InfoResult as Info, ReceiptSummary as Summary } from './wire.gen.ts';

/** A series as the master sends it: always with its host. */
export interface Series extends WireSeries {
  host: string;
  kind?: 'gauge' | 'counter';
}

/** The three columns are always there, as they have one length and samples. */
export interface Columns {
  t: number[];
  s: number[];
  v: number[];
}

/** Samples by column: sample i is value v[i] of series s[i] at time t[i]. */
export type Samples = Omit<WireSamples, 'series' | keyof Columns> & Columns & { series?: Series[] };

/** Samples of the past, series by series, each in order of time. */
export type HistoryRange = Omit<HistoryRangeResult, 'series' | 'means' | keyof Columns> & Columns & { series: Series[] | null; means?: Columns };

export const protocolVersion = 1;
