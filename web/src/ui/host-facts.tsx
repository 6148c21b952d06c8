// Facts about a host: how long it has been up, its kernel, when something began. Lines
// would show nothing about them, because they rise evenly or stay at 1.

import { latest } from '../charts/frame.ts';
import { exploreLink } from '../charts/chart-menu.ts';
import { queriesOf } from '../charts/promql.ts';
import { inspectorOf, type Chart, type Series } from '../data/store.ts';
import { ago, exact } from '../lib/time.ts';
import { duration } from '../lib/units.ts';

export interface Fact {
  id: string;
  name: string;
  value: string;
  /** Details, shown on hover. */
  title: string;
  /** A link to the course of the value. */
  href: string;
}

/** The heading of the page tells this one. */
const headed = /^uptime(\/seconds)?$/;
const uptime = /(^|[/_-])uptime([/_-]seconds)?$/;
const moment = /(^|[/_-])(boot|start|started|build|created|expiry|expires|renewed|changed)_(time|timestamp|date)(_seconds)?$/;
const info = /(^|[/_-])info$/;
/** Values below this (in 1973) are no moments. */
const earliest = 1e8;

/** The fact in a line; null if it has none. */
function said({ series, value, now }: { series: Series; value: number; now: number }): Pick<Fact, 'value' | 'title'> | null {
  const { key, labels } = series;
  if (series.rate || !Number.isFinite(value)) return null;
  if (uptime.test(key)) return { value: duration(Math.floor(value / 60) * 60 || value), title: `since ${exact(now - value * 1000)}` };
  if (moment.test(key) && value > earliest) {
    const ms = value * 1000;
    return { value: ms > now ? `in ${duration(Math.floor((ms - now) / 60_000) * 60)}` : ago(ms, now), title: exact(ms) };
  }
  const pairs = Object.entries(labels);
  if (!info.test(key) || value !== 1 || pairs.length === 0) return null;
  return { value: pairs.map(([name, text]) => (pairs.length === 1 ? text : `${name} ${text}`)).join(' · '), title: pairs.map((p) => p.join('=')).join('\n') };
}

/** A fact has the name of its inspector if that has no other fact, or else its key. */
function nameOf({ series: list, host }: Chart, { key }: Series): string {
  const words = (key.replace(/[/_-](seconds|info|time|timestamp)(?=$|[/_-])/g, '') || key).replace(/[/_-]+/g, ' ');
  return list.length === 1 ? (inspectorOf(host, key)?.name ?? words) : words;
}

/**
 * The facts among some charts that the heading does not show, and the remaining
 * charts. A chart is a fact if all its lines are.
 */
export function factsOf(charts: Chart[], now: number, search: string): { facts: Fact[]; rest: Chart[] } {
  const facts: Fact[] = [];
  const rest: Chart[] = [];
  for (const chart of charts) {
    const all = chart.series.map((series) => ({ series, is: said({ series, value: latest(series).value, now }) }));
    if (all.length === 0 || all.some(({ is }) => is === null)) {
      rest.push(chart);
      continue;
    }
    for (const { series, is } of all) {
      if (headed.test(series.key)) continue;
      const href = exploreLink(queriesOf({ ...chart, series: [series] }), search);
      facts.push({ id: series.id, name: nameOf(chart, series), ...is!, href });
    }
  }
  return { facts, rest };
}

export function HostFacts({ facts }: { facts: Fact[] }) {
  if (facts.length === 0) return null;
  return (
    <dl class="host-facts" aria-label="Facts">
      {facts.map((f) => (
        <div key={f.id}>
          <dt>{f.name}</dt>
          <dd title={f.title}>
            <a href={f.href}>{f.value}</a>
          </dd>
        </div>
      ))}
    </dl>
  );
}
