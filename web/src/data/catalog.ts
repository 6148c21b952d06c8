// The messages of pushed code, as the master writes them.

import type { InspectorStatus } from './wire.ts';

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
  well_before?: number;
  signers?: string[];
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
  history?: HistoryEntry[];
}

export interface Code {
  name: string;
  file?: string;
  source?: string;
  plugin?: { args?: string[]; artefacts: Record<string, { sha256: string; size: number }> };
  interval_ms?: number;
  timeout_ms?: number;
}

export interface Revision extends Code {
  id: string;
  author: string;
  at_ms: number;
  message?: string;
}

export interface Receipt {
  host: string;
  host_state: 'up' | 'gone';
  inspector: string;
  revision: string;
  state: string;
  reason?: string;
  at_ms: number;
  running?: string;
}

export interface Receipts {
  inspector: string;
  revision: string;
  summary: Summary;
  receipts: Receipt[] | null;
}

export interface Stage {
  hosts?: number;
  percent?: number;
}

export interface Plan {
  stages?: Stage[] | null;
  bake_ms?: number;
  timeout_ms?: number;
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
  state: string;
  reason?: string;
  author: string;
  message?: string;
  plan: Plan;
  stage: number;
  stages: RolloutStage[] | null;
  started_ms: number;
  finished_ms?: number;
  failures?: Receipt[] | null;
}

export interface Diagnostic {
  file: string;
  line: number;
  /** Bytes, from 1; 0 where there is no place. */
  col: number;
  rule?: string;
  message: string;
  fix?: string;
}

export interface Checked {
  diagnostics: Diagnostic[];
  revision: string;
  name: string;
  interval_ms: number;
  timeout_ms: number;
  nobody?: string;
  hosts: number;
  drops?: number;
  selected?: string[];
  refusals?: { host: string; reason: string }[];
  built_in?: boolean;
  replaces?: number;
}

export interface Pushed {
  revision: string;
  version: string;
  rollout?: string;
  selector: string;
  hosts: number;
  drops?: number;
  not_built?: string;
}

/** How an inspector is on a host, with what wire.ts leaves out. */
export interface Status extends InspectorStatus {
  assigned?: string;
  cpu_seconds?: number;
}

/** A revision as people write it. */
export function short(revision: string): string {
  return revision.slice(0, 8);
}

/** Whether a rollout still moves, or could. */
export function going(rollout: Pick<Rollout, 'state'>): boolean {
  return rollout.state === 'running' || rollout.state === 'paused';
}
