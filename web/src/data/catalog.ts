// The messages of pushed code, as the master writes them.

import type * as wire from './wire.ts';

export type { RolloutStage, Summary, HostReceipt as Receipt } from './wire.ts';

export interface HistoryEntry extends wire.HistoryEntry {
  well_before?: number;
  /** Ids of the keys that have signed the revision. */
  signers?: string[];
}

export interface CatalogEntry extends wire.CatalogEntry {
  history?: HistoryEntry[] | null;
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

export interface Receipts {
  inspector: string;
  revision: string;
  summary: wire.Summary;
  receipts: wire.HostReceipt[] | null;
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

export interface Rollout extends wire.Rollout {
  plan: Plan;
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

/** How an inspector is on a host. */
export type Status = wire.InspectorStatus;

/** A revision as people write it. */
export function short(revision: string): string {
  return revision.slice(0, 8);
}

/** Whether a rollout still moves, or could. */
export function going(rollout: Pick<Rollout, 'state'>): boolean {
  return rollout.state === 'running' || rollout.state === 'paused';
}
