// What Explore shows, as its address says it, and the queries that were asked before.
// Pure, but for what the browser keeps.

import { load, save } from '../../lib/storage.ts';

/** How many queries stand on one chart at most. */
export const mostQueries = 8;
const mostPast = 50;

const nameOf = (i: number): string => (i === 0 ? 'q' : `q${i + 1}`);

/** The queries of an address. */
export function queriesOf(query: string): string[] {
  const params = new URLSearchParams(query);
  return Array.from({ length: mostQueries }, (_, i) => params.get(nameOf(i)) ?? '').filter((q) => q.trim() !== '');
}

/** What the address says of some queries; names that none has are '' and taken out. */
export function withQueries(queries: string[]): Record<string, string> {
  const asked = queries.map((q) => q.trim()).filter((q) => q !== '');
  return Object.fromEntries(Array.from({ length: mostQueries }, (_, i) => [nameOf(i), asked[i] ?? '']));
}

/** The queries after some were asked: the newest first, each once. */
export function remembered(past: string[], asked: string[]): string[] {
  return [...new Set([...asked.map((q) => q.trim()).filter((q) => q !== ''), ...past])].slice(0, mostPast);
}

export function pastQueries(): string[] {
  const list = load<unknown>('queries', []);
  return Array.isArray(list) ? list.filter((q) => typeof q === 'string') : [];
}

export function remember(asked: string[]): void {
  save('queries', remembered(pastQueries(), asked));
}

export function forgetQueries(): void {
  save('queries', []);
}
