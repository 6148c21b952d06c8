// The messages of the protocol that a browser reads, as the master writes them.
// Times are milliseconds since the epoch, UTC.

export interface Series {
  id: number;
  host: string;
  key: string;
  labels?: Record<string, string>;
  kind?: 'gauge' | 'counter';
}

/** Samples by column: sample i is value v[i] of series s[i] at time t[i]. */
export interface Samples {
  subscription: number;
  series?: Series[];
  t: number[];
  s: number[];
  v: number[];
}

/** Samples of the past, series by series, each in order of time. */
export interface HistoryRange {
  from_ms: number;
  to_ms: number;
  /** Columns that the range was divided into; of each the lowest and the highest sample is here. */
  points: number;
  /** More series match than fit. */
  truncated?: boolean;
  series: Series[] | null;
  t: number[];
  s: number[];
  v: number[];
}

export interface Event {
  subscription: number;
  path: string;
  data: any;
}

export interface Lost {
  subscription: number;
  events: number;
}

export interface Info {
  name: string;
  version: string;
  protocol: number;
  started_ms: number;
  now_ms: number;
  heartbeat_seconds: number;
  hosts: number;
  series: number;
  role: string;
}

export type InspectorState = 'starting' | 'ok' | 'failing' | 'quarantined';

export interface InspectorStatus {
  name: string;
  kind: string;
  revision: string;
  interval_ms: number;
  state: InspectorState;
  error?: string;
  since_ms: number;
  runs: number;
  failures: number;
  timeouts: number;
  missed: number;
  crashes: number;
  /** The interval while somebody has it run faster. */
  boosted_ms?: number;
}

export interface Host {
  host: string;
  state: 'up' | 'gone';
  since_ms: number;
  last_seen_ms: number;
  /** The agent's clock less the master's. */
  skew_ms: number;
  version?: string;
  os?: string;
  arch?: string;
  labels?: Record<string, string>;
  remote?: string;
  series: number;
  samples: number;
  agent?: { reports_queued: number; samples_dropped: number };
  inspectors?: InspectorStatus[];
  /** Known by reportMetric only: there is no agent of ours. */
  simple?: boolean;
}

export const protocolVersion = 1;
