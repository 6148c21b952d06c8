// Drafts of inspectors. The browser stores them from the first change until they are
// pushed or discarded, each under the name of its inspector; '' is a new one.

import { load, save } from '../lib/storage.ts';

export interface Draft {
  source: string;
  /** The revision that it was made from; '' for a new inspector. */
  base: string;
  savedMs: number;
}

const key = 'drafts';
const most = 30; // the oldest go

type Drafts = Record<string, Draft>;

function all(): Drafts {
  const stored = load<unknown>(key, {});
  if (stored === null || typeof stored !== 'object' || Array.isArray(stored)) return {};
  return Object.fromEntries(Object.entries(stored as Drafts).filter(([, d]) => typeof d?.source === 'string'));
}

export function draftOf(name: string): Draft | null {
  const drafts = all();
  return Object.hasOwn(drafts, name) ? drafts[name] : null;
}

export function keepDraft(name: string, draft: Draft): void {
  const drafts = Object.entries({ ...all(), [name]: draft });
  drafts.sort(([, a], [, b]) => b.savedMs - a.savedMs);
  save(key, Object.fromEntries(drafts.slice(0, most)));
}

export function dropDraft(name: string): void {
  const drafts = all();
  delete drafts[name];
  save(key, drafts);
}

/** The names of all drafts, the newest first. */
export function draftNames(): string[] {
  return Object.entries(all())
    .sort(([, a], [, b]) => b.savedMs - a.savedMs)
    .map(([name]) => name);
}
