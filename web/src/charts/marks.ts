// Events of a host as marks on its charts: revisions of its inspectors, and alerts that
// fired and ended. Pure.

import type { Found } from '../data/prom.ts';
import { fits, parseQuery } from '../data/query.ts';
import type { Rollout } from '../data/wire.ts';
import { below } from '../lib/router.ts';

export interface Mark {
  /** ms, on the browser's clock. */
  at: number;
  tone: 'good' | 'warn' | 'bad' | 'plain';
  text: string;
  href: string;
  /** The inspector of the event; '' for the whole host. */
  inspector: string;
}

/** The host of the marks. */
export interface MarkedHost {
  name: string;
  labels: Record<string, string>;
}

/** Whether a selector selects a host: '' selects all hosts. A revision that is '' is for none. */
function isFor(revision: string, selector: string, { name, labels }: MarkedHost): boolean {
  return revision !== '' && fits(parseQuery(selector === '*' ? '' : selector), { labels: { ...labels, host: name }, text: name });
}

const verbs: Record<string, string> = { push: 'pushed', rollback: 'rolled back', delete: 'deleted' };

/** The rollouts that changed what a host runs; `offset` converts the master's clock to ours. */
export function revisionMarks(rollouts: Rollout[], host: MarkedHost, offset: number): Mark[] {
  const marks: Mark[] = [];
  for (const r of rollouts) {
    if (!isFor(r.to, r.to_selector, host) && !isFor(r.from, r.from_selector, host)) continue;
    const revision = r.to ? ` ${r.to.slice(0, 8)}` : '';
    const why = r.message ? `: ${r.message}` : '';
    const mark = { href: below('/rollouts', r.id), inspector: r.inspector };
    marks.push({ ...mark, at: r.started_ms + offset, tone: 'plain', text: `${r.inspector}${revision} ${verbs[r.action] ?? r.action} by ${r.author}${why}` });
    if (r.state === 'rolled back') {
      const at = (r.finished_ms || r.started_ms) + offset;
      marks.push({ ...mark, at, tone: 'warn', text: `${r.inspector}${revision} was taken back${r.reason ? `: ${r.reason}` : ''}` });
    }
  }
  return marks;
}

/** The query that tells when alerts of a host fired. */
export function firingQuery(host: string): string {
  return `ALERTS{host=${JSON.stringify(host)}, alertstate="firing"}`;
}

/**
 * When alerts fired and ended, from the history in steps of `step` ms. An alert
 * that fires in the first or last step began earlier, or continues.
 */
export function alertMarks(found: Found[], from: number, to: number, step: number, offset: number): Mark[] {
  return found.flatMap(({ metric, points }) => {
    const name = metric.alertname ?? 'alert';
    const bad = metric.severity === 'critical';
    const marks: Mark[] = [];
    const mark = (at: number, tone: Mark['tone'], text: string): void => void marks.push({ at: at + offset, tone, text: `${name} ${text}`, href: '/alerts', inspector: '' });
    points.forEach(([seconds], i) => {
      const at = seconds * 1000;
      const [before, after] = [points[i - 1]?.[0], points[i + 1]?.[0]].map((t) => (t === undefined ? NaN : t * 1000));
      if (!(at - before <= 1.5 * step) && at - from > step) mark(at, bad ? 'bad' : 'warn', 'fired');
      if (!(after - at <= 1.5 * step) && to - at > step) mark(at + step, 'good', 'ended');
    });
    return marks;
  });
}

/** The marks of a chart: those of the inspectors that yield its lines, and those of the host. */
export function marksFor(marks: Mark[], inspectors: ReadonlySet<string>): Mark[] {
  return marks.filter((m) => m.inspector === '' || inspectors.has(m.inspector));
}
