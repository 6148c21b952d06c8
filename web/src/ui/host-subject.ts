// The text of a host for filters: name, state, labels, versions, problems. Pure.

import type { HostModel } from '../data/store.ts';
import type { Subject } from '../data/query.ts';

export function subjectOf(host: HostModel, words: string[]): Subject & { state: 'up' | 'late' | 'gone' } {
  const info = host.info.value;
  const labels = { ...info?.labels, host: host.name };
  const state = info?.state === 'gone' ? 'gone' : words.includes('late') ? 'late' : 'up';
  const errors = (info?.inspectors ?? []).filter((i) => i.error && i.state !== 'ok').map((i) => i.error);
  const inspectors = (info?.inspectors ?? []).map((i) => i.name);
  const pairs = Object.entries(labels).map(([n, v]) => `${n}=${v}`);
  const text = [host.name, state, info?.version, info?.os, info?.arch, ...pairs, ...words, ...errors, ...inspectors].join(' ').toLowerCase();
  return { labels, state, text };
}
