// Lines of the audit log: what they are about, and which are shown. Pure.

import { below, hostPath } from '../../lib/router.ts';
import type { AuditEntry } from '../../data/wire.gen.ts';

/** The page of what a line is about; '' where there is none. */
export function pageOf({ action, subject }: Pick<AuditEntry, 'action' | 'subject'>): string {
  if (!subject) return '';
  switch (action.split('.')[0]) {
    case 'catalog':
      return below('/inspectors', subject);
    case 'rollouts':
    case 'rollout':
      return `/rollouts/${encodeURIComponent(subject)}`;
    case 'hosts':
    case 'inspectors':
    case 'boosts':
      return hostPath(subject);
    case 'boards':
      return `/boards/${encodeURIComponent(subject)}`;
    default:
      return '';
  }
}

/** Lines that have all the words of a filter; `failed` is a word of those that were refused. */
export function matching(list: AuditEntry[], filter: string): AuditEntry[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return list.filter((e) => {
    const text = [e.who, e.role, e.from, e.action, e.subject, e.detail, e.outcome, e.outcome === 'ok' ? '' : 'failed refused'].join(' ').toLowerCase();
    return words.every((w) => text.includes(w));
  });
}
