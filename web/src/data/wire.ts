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

export type InspectorState = 'starting' | 'ok' | 'failing' | 'quarantined' | 'starved';

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
  over_budget?: number;
  cpu_seconds?: number;
  /** The revision of the catalog that runs; absent where it was not pushed. */
  assigned?: string;
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
  agent?: {
    reports_queued: number;
    samples_dropped: number;
    spool?: string;
    isolation?: { layers: string[] | null; missing?: { layer: string; reason: string }[] };
    starved?: string;
    starved_seconds?: number;
  };
  inspectors?: InspectorStatus[];
  /** Known by reportMetric only: there is no agent of ours. */
  simple?: boolean;
  accepts_pushed?: boolean;
  /** Why the history does not keep what the host reports now. */
  not_kept?: string;
}

export interface Summary {
  hosts: number;
  healthy: number;
  failed: number;
  refused: number;
  pending: number;
}

export interface HistoryEntry {
  at_ms: number;
  author: string;
  action: string;
  revision: string;
  selector: string;
  message?: string;
  rollout?: string;
}

export interface CatalogEntry {
  name: string;
  current: string;
  selector: string;
  kind: string;
  deleted?: boolean;
  version: string;
  rollout?: string;
  author: string;
  at_ms: number;
  message?: string;
  summary: Summary;
  history?: HistoryEntry[] | null;
}

export interface HostReceipt {
  host: string;
  host_state?: 'up' | 'gone';
  inspector: string;
  revision: string;
  state: string;
  reason?: string;
  at_ms: number;
  running?: string;
}

export interface RolloutStage {
  count?: number;
  percent?: number;
  hosts: string[] | null;
  started_ms?: number;
  healthy_ms?: number;
  done_ms?: number;
  summary: Summary;
}

export interface Rollout {
  id: string;
  inspector: string;
  action: string;
  from: string;
  to: string;
  from_selector: string;
  to_selector: string;
  state: 'running' | 'paused' | 'done' | 'rolled back' | 'replaced';
  reason?: string;
  author: string;
  message?: string;
  stage: number;
  stages: RolloutStage[] | null;
  started_ms: number;
  finished_ms?: number;
  failures?: HostReceipt[] | null;
}

export interface AuditEntry {
  seq: number;
  at_ms: number;
  who: string;
  role: string;
  from: string;
  action: string;
  subject: string;
  detail?: string;
  outcome: string;
}

export const protocolVersion = 1;
