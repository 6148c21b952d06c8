// The state of Explore in its address, and the earlier queries. Pure, except for what
// the browser stores.

import { load, save } from '../../lib/storage.ts';

/** The most queries on one chart. */
export const mostQueries = 8;
const mostPast = 50;

const nameOf = (i: number): string => (i === 0 ? 'q' : `q${i + 1}`);

/** The queries of an address. */
export function queriesOf(query: string): string[] {
  const params = new URLSearchParams(query);
  return Array.from({ length: mostQueries }, (_, i) => params.get(nameOf(i)) ?? '').filter((q) => q.trim() !== '');
}

/** The address of some queries; names without a value are '' and removed. */
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
