// The messages about pushed code, as the master sends them.

import type * as wire from './wire.ts';

export type { CatalogEntry, Code, Diagnostic, HistoryEntry, Plan, Revision, Rollout, RolloutStage, Stage, Summary } from './wire.ts';
export type { HostReceipt as Receipt, PushResult as Pushed, ReceiptsResult as Receipts } from './wire.ts';

/** The result of the check; the list of faults is always present. */
export type Checked = Omit<wire.CheckResult, 'diagnostics'> & { diagnostics: wire.Diagnostic[] };

/** The state of an inspector on a host. */
export type Status = wire.InspectorStatus;

/** The id of a revision as people write it. */
export function short(revision: string): string {
  return revision.slice(0, 8);
}

/** Whether a rollout moves, or could. */
export function going(rollout: Pick<wire.Rollout, 'state'>): boolean {
  return rollout.state === 'running' || rollout.state === 'paused';
}
