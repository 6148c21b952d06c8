// The messages of pushed code, as the master writes them.

import type * as wire from './wire.ts';

export type { CatalogEntry, Code, Diagnostic, HistoryEntry, Plan, Revision, Rollout, RolloutStage, Stage, Summary } from './wire.ts';
export type { HostReceipt as Receipt, PushResult as Pushed, ReceiptsResult as Receipts } from './wire.ts';

/** What the check said; the list of faults is always there. */
export type Checked = Omit<wire.CheckResult, 'diagnostics'> & { diagnostics: wire.Diagnostic[] };

/** How an inspector is on a host. */
export type Status = wire.InspectorStatus;

/** A revision as people write it. */
export function short(revision: string): string {
  return revision.slice(0, 8);
}

/** Whether a rollout still moves, or could. */
export function going(rollout: Pick<wire.Rollout, 'state'>): boolean {
  return rollout.state === 'running' || rollout.state === 'paused';
}
