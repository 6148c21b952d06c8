// Recent changes, newest first: what people did, how rollouts ended, and hosts that
// came and went. Pure.

import { compareNames } from './names.ts';
import type { AuditEntry, Host, Rollout } from './wire.ts';

export interface Change {
  id: string;
  at: number; // on our clock
  tone: 'good' | 'warn' | 'bad' | 'plain';
  text: string;
  /** Who did it, and why; '' if nobody did. */
  by: string;
  detail: string;
  /** The path of the page about it; '' for none. */
  href: string;
}

export interface Past {
  hosts: Host[];
  rollouts: Rollout[];
  /** Empty for users who may not read it. */
  audit: AuditEntry[];
  masterOffset: number;
  masterStarted: number; // the master's clock
}

/** Actions of the audit log that rollouts already show. */
const told = ['catalog.push', 'catalog.rollback', 'catalog.delete', 'rollouts.', 'rollout.'];
/** Actions that change nothing that is measured, or how. */
export const quiet = ['audit.list', 'logs.get', 'users.login', 'users.logout', 'alerts.test', 'trials.stop', 'boosts.stop'];
/** What an action is, in words that its subject follows. */
export const actions: Record<string, string> = {
  'alerts.ack': 'acknowledgement of',
  'alerts.threshold': 'threshold of',
  'authority.rotate': 'new authority',
  'boards.delete': 'removal of board',
  'boards.put': 'new version of board',
  'boosts.start': 'boost on',
  'catalog.delete': 'deletion of',
  'catalog.push': 'push of',
  'catalog.rollback': 'rollback of',
  'hosts.approve': 'approval of host',
  'hosts.label': 'labels of',
  'hosts.revoke': 'revocation of host',
  'inspectors.release': 'release from quarantine on',
  'keys.add': 'statement about a signing key',
  'maintenances.add': 'maintenance of',
  'maintenances.end': 'end of maintenance',
  'master.maintenance': 'maintenance by host',
  'proposals.approve': 'approval of proposal',
  'proposals.refuse': 'refusal of proposal',
  'rollouts.abort': 'abort of rollout',
  'rollouts.pause': 'pause of rollout',
  'rollouts.resume': 'resumption of rollout',
  'silences.add': 'silence',
  'silences.end': 'end of silence',
  'tokens.create': 'new token',
  'tokens.join': 'new join token',
  'tokens.revoke': 'revocation of token',
  'trials.start': 'trial of',
  'users.add': 'invitation of user',
  'users.link': 'new password link for',
  'users.passwd': 'new password of',
  'users.remove': 'removal of user',
  'users.role': 'role of user',
};
/** Hosts that come or go within so many ms count as one change. */
const together = 30_000;

const verbs: Record<string, string> = { push: 'pushed', rollback: 'rolled back', delete: 'deleted' };

export function changesOf(p: Past, hrefs: { host(name: string): string; rollout(id: string): string }, most = 60): Change[] {
  const out: Change[] = [];
  const at = (ms: number): number => ms + p.masterOffset;
  for (const r of p.rollouts) {
    const by = r.author;
    const href = hrefs.rollout(r.id);
    const verb = verbs[r.action] ?? r.action;
    out.push({ id: `r${r.id}`, at: at(r.started_ms), tone: 'plain', text: `${r.inspector} ${verb}`, by, detail: r.message ?? '', href });
    if (r.state === 'rolled back') {
      const text = `${r.inspector} went back`;
      out.push({ id: `r${r.id}b`, at: at(r.finished_ms || r.started_ms), tone: 'bad', text, by: '', detail: r.reason ?? '', href });
    } else if (r.state === 'done' && r.finished_ms && r.finished_ms - r.started_ms > 5_000) {
      const text = `${r.inspector} is on all its hosts`;
      out.push({ id: `r${r.id}d`, at: at(r.finished_ms), tone: 'good', text, by: '', detail: '', href });
    }
  }
  for (const e of p.audit) {
    const ok = e.outcome === 'ok';
    if (quiet.includes(e.action) || (ok && told.some((t) => e.action.startsWith(t)))) continue;
    const text = `${actions[e.action] ?? e.action}${e.subject ? ` ${e.subject}` : ''}${ok ? '' : ' was refused'}`;
    out.push({ id: `a${e.seq}`, at: at(e.at_ms), tone: ok ? 'plain' : 'warn', text, by: e.who, detail: ok ? (e.detail ?? '') : e.outcome, href: '' });
  }
  out.push(...comings(p, hrefs.host, at));
  if (p.masterStarted > 0) {
    out.push({ id: 'm', at: at(p.masterStarted), tone: 'plain', text: 'the master started', by: '', detail: '', href: '' });
  }
  return out.sort((a, b) => b.at - a.at || compareNames(a.id, b.id)).slice(0, most);
}

/** Hosts that came or went; those of one moment are one change. */
function comings(p: Past, href: (host: string) => string, at: (ms: number) => number): Change[] {
  const out: Change[] = [];
  for (const state of ['up', 'gone'] as const) {
    const list = p.hosts.filter((h) => h.state === state && h.since_ms > 0).sort((a, b) => a.since_ms - b.since_ms);
    for (let i = 0; i < list.length; ) {
      let end = i + 1;
      while (end < list.length && list[end].since_ms - list[end - 1].since_ms < together) end++;
      const group = list.slice(i, end).map((h) => h.host).sort(compareNames);
      const text = group.length === 1 ? `${group[0]} ${state === 'up' ? 'came up' : 'went away'}` : `${group.length} hosts ${state === 'up' ? 'came up' : 'went away'}`;
      out.push({
        id: `${state} ${group[0]}`,
        at: at(list[end - 1].since_ms),
        tone: state === 'up' ? 'good' : 'bad',
        text,
        by: '',
        detail: group.length === 1 ? '' : group.slice(0, 5).join(', ') + (group.length > 5 ? ' …' : ''),
        href: group.length === 1 ? href(group[0]) : '/hosts',
      });
      i = end;
    }
  }
  return out;
}
