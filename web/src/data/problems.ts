// Problems, worst first: one entry for each trouble, however many hosts have it. A pure
// function of what the page knows and the time.

import { duration } from '../lib/units.ts';
import { compareNames } from './names.ts';
import type { CatalogEntry, Host, HostReceipt, InspectorStatus, Rollout } from './wire.ts';

export type Kind =
  | 'not kept'
  | 'gone'
  | 'alert'
  | 'quarantined'
  | 'rolled back'
  | 'late'
  | 'failing'
  | 'refused'
  | 'starved'
  | 'drops'
  | 'queue'
  | 'paused'
  | 'clock'
  | 'version';

/** Troubles are sorted by weight, the greatest first. */
const weights: Record<Kind, number> = {
  'not kept': 12,
  gone: 11,
  alert: 10.5,
  quarantined: 10,
  'rolled back': 9,
  late: 8,
  failing: 7,
  refused: 6,
  starved: 5,
  drops: 4,
  queue: 3,
  paused: 2,
  clock: 1,
  version: 0,
};

const bad: Kind[] = ['not kept', 'gone', 'quarantined', 'rolled back', 'late', 'failing'];

export interface Problem {
  id: string;
  kind: Kind;
  tone: 'bad' | 'warn';
  /** The subject: an inspector, or '' for hosts as such. */
  subject: string;
  /** The problem, and how many hosts of how many have it. */
  title: string;
  /** The reasons, the most frequent first. */
  reasons: { text: string; hosts: number }[];
  /** The hosts that have it, by name. */
  hosts: string[];
  /** Since when, on the browser's clock; 0 if unknown. */
  since: number;
}

/** What is known of a host. */
export interface HostFacts {
  info: Host;
  /** The ms to add to a time of its agent to convert it to our clock. */
  offset: number;
  /** When the last sample arrived, on our clock; 0 if none has. */
  heardAt: number;
  /** When it last dropped samples, on our clock; 0 for never. */
  droppedAt: number;
}

export interface Situation {
  hosts: HostFacts[];
  catalog: CatalogEntry[];
  /** Receipts of inspectors that are not well everywhere. */
  receipts: HostReceipt[];
  rollouts: Rollout[];
  /** Milliseconds to add to a time of the master's to have it on our clock. */
  masterOffset: number;
  masterVersion: string;
  /** The link has been up long enough for silence to count. */
  listening: boolean;
  now: number;
}

const lateAfter = 10_000; // ms without a sample, and three intervals
const skewShown = 2_000; // the most ms that a clock may be off
const queueShown = 30; // the most reports that may wait
const news = 24 * 3600_000; // ms for which a rollback is shown
const dropsShown = 15 * 60_000;

/** A trouble of one host, before similar ones are merged. */
interface Trouble {
  kind: Kind;
  subject: string;
  host: string;
  reason: string;
  since: number;
}

export function problemsOf(s: Situation): Problem[] {
  const troubles = [...s.hosts.flatMap((h) => troublesOf(h, s)), ...receiptTroubles(s)];
  const groups = new Map<string, Trouble[]>();
  for (const t of troubles) {
    const id = `${t.kind} ${t.subject}`;
    const group = groups.get(id);
    if (group) group.push(t);
    else groups.set(id, [t]);
  }
  const total = totals(s);
  const problems = [...groups].map(([id, group]) => together(id, group, total));
  return [...problems, ...rolloutProblems(s)].sort(worstFirst);
}

export function worstFirst(a: Problem, b: Problem): number {
  return (
    weights[b.kind] - weights[a.kind] || b.hosts.length - a.hosts.length || compareNames(a.subject, b.subject) || compareNames(a.id, b.id)
  );
}

function troublesOf(h: HostFacts, s: Situation): Trouble[] {
  const { info } = h;
  const out: Trouble[] = [];
  const add = (kind: Kind, subject: string, reason: string, since: number): void => {
    out.push({ kind, subject, host: info.host, reason, since });
  };
  if (info.state === 'gone') {
    add('gone', '', '', info.since_ms > 0 ? info.since_ms + s.masterOffset : 0);
    return out; // its last report about its inspectors is outdated
  }
  if (silent(h, s)) add('late', '', 'connected, and sends nothing', h.heardAt);
  if (info.not_kept) add('not kept', '', info.not_kept, 0);
  if (info.agent?.starved) add('starved', '', info.agent.starved, 0);
  for (const i of info.inspectors ?? []) {
    const kind = kindOf(i, Boolean(info.agent?.starved));
    if (kind) add(kind, i.name, i.error || 'no reason given', i.since_ms > 0 ? i.since_ms + h.offset : 0);
  }
  if (h.droppedAt > 0 && s.now - h.droppedAt < dropsShown) add('drops', '', '', h.droppedAt);
  const queued = info.agent?.reports_queued ?? 0;
  if (queued > queueShown) add('queue', '', `${queued.toLocaleString('en')} reports wait`, 0);
  if (Math.abs(info.skew_ms) > skewShown) {
    add('clock', '', `${duration(Math.abs(info.skew_ms) / 1000)} ${info.skew_ms > 0 ? 'fast' : 'slow'}`, 0);
  }
  if (info.version && s.masterVersion && info.version !== s.masterVersion) {
    add('version', '', `agent ${info.version}, the master is ${s.masterVersion}`, 0);
  }
  return out;
}

function kindOf(i: InspectorStatus, hostStarved: boolean): Kind | null {
  switch (i.state) {
    case 'failing':
    case 'quarantined':
      return i.state;
    case 'starved':
      return hostStarved ? null : 'starved';
    default:
      return null;
  }
}

/** Whether a host that should send samples has been silent for a while. */
function silent({ info, heardAt }: HostFacts, s: Situation): boolean {
  if (!s.listening || heardAt === 0 || info.simple) return false;
  const intervals = (info.inspectors ?? []).filter((i) => i.state === 'ok').map((i) => i.interval_ms);
  if (intervals.length === 0) return false;
  return s.now - heardAt > Math.max(lateAfter, 3 * Math.min(...intervals));
}

/** Hosts that refuse pushed code or on which it failed, unless their status already says so. */
function receiptTroubles(s: Situation): Trouble[] {
  const told = new Set(
    s.hosts.flatMap(({ info }) => (info.inspectors ?? []).filter((i) => kindOf(i, false)).map((i) => `${info.host} ${i.name}`)),
  );
  const away = new Set(s.hosts.filter((h) => h.info.state === 'gone').map((h) => h.info.host));
  return s.receipts.flatMap((r): Trouble[] => {
    if (r.state !== 'refused' && r.state !== 'failed') return [];
    if (away.has(r.host) || (r.state === 'failed' && told.has(`${r.host} ${r.inspector}`))) return [];
    const kind = r.state === 'refused' ? 'refused' : 'failing';
    return [{ kind, subject: r.inspector, host: r.host, reason: r.reason || 'no reason given', since: r.at_ms + s.masterOffset }];
  });
}

/** The number of hosts that could have the trouble: those with the inspector, or all. */
function totals(s: Situation): (subject: string, kind: Kind) => number {
  const of = new Map<string, number>();
  for (const { info } of s.hosts) {
    if (info.state === 'gone') continue;
    for (const i of info.inspectors ?? []) of.set(i.name, (of.get(i.name) ?? 0) + 1);
  }
  const pushed = new Map(s.catalog.map((e) => [e.name, e.summary.hosts]));
  return (subject) => (subject === '' ? s.hosts.length : Math.max(of.get(subject) ?? 0, pushed.get(subject) ?? 0));
}

function together(id: string, group: Trouble[], total: (subject: string, kind: Kind) => number): Problem {
  const [{ kind, subject }] = group;
  const hosts = [...new Set(group.map((t) => t.host))].sort(compareNames);
  const counts = new Map<string, number>();
  for (const { reason } of group) if (reason) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const reasons = [...counts].map(([text, n]) => ({ text, hosts: n })).sort((a, b) => b.hosts - a.hosts || compareNames(a.text, b.text));
  const known = group.map((t) => t.since).filter((t) => t > 0);
  return {
    id,
    kind,
    tone: bad.includes(kind) ? 'bad' : 'warn',
    subject,
    title: titleOf(kind, subject, hosts, Math.max(hosts.length, total(subject, kind))),
    reasons,
    hosts,
    since: known.length > 0 ? Math.min(...known) : 0,
  };
}

function titleOf(kind: Kind, subject: string, hosts: string[], of: number): string {
  const n = hosts.length;
  const where = of === 1 || n === 1 ? hosts[0] : `${n} of ${of} hosts`;
  const are = n === 1 ? 'is' : 'are';
  if (subject !== '') return `${subject} ${kind} on ${where}`;
  switch (kind) {
    case 'gone':
      return `${where} ${are} gone`;
    case 'late':
      return `${where} ${are} late`;
    case 'not kept':
      return `the history does not keep what ${where} ${n === 1 ? 'reports' : 'report'}`;
    case 'drops':
      return `${where} dropped samples`;
    case 'queue':
      return `reports wait on ${where}`;
    case 'clock':
      return `${n === 1 ? 'the clock' : 'the clocks'} of ${where} ${are} off`;
    case 'version':
      return `${where} ${n === 1 ? 'runs' : 'run'} another version`;
    default:
      return `${where} ${are} ${kind}`;
  }
}

/** Recent rollbacks that were not fixed since, and paused rollouts. */
function rolloutProblems(s: Situation): Problem[] {
  const newest = new Map<string, Rollout>();
  for (const r of s.rollouts) {
    const known = newest.get(r.inspector);
    if (!known || r.started_ms > known.started_ms) newest.set(r.inspector, r);
  }
  return [...newest.values()].flatMap((r): Problem[] => {
    const ended = (r.finished_ms || r.started_ms) + s.masterOffset;
    const back = r.state === 'rolled back' && s.now - ended < news;
    if (!back && r.state !== 'paused') return [];
    const kind: Kind = back ? 'rolled back' : 'paused';
    return [
      {
        id: `rollout ${r.id}`,
        kind,
        tone: back ? 'bad' : 'warn',
        subject: r.inspector,
        title: back ? `${r.inspector} was rolled back` : `the rollout of ${r.inspector} is paused`,
        reasons: r.reason ? [{ text: r.reason, hosts: (r.failures ?? []).length }] : [],
        hosts: [...new Set((r.failures ?? []).map((f) => f.host))].sort(compareNames),
        since: back ? ended : r.started_ms + s.masterOffset,
      },
    ];
  });
}

/** The problems of each host, in a few words. */
export function byHost(problems: Problem[]): Map<string, { words: string[]; tone: 'bad' | 'warn' }> {
  const out = new Map<string, { words: string[]; tone: 'bad' | 'warn' }>();
  for (const p of problems) {
    for (const host of p.hosts) {
      const known = out.get(host) ?? { words: [], tone: 'warn' };
      known.words.push(p.subject ? `${p.subject} ${p.kind}` : p.kind);
      if (p.tone === 'bad') known.tone = 'bad';
      out.set(host, known);
    }
  }
  return out;
}
