// The list of problems, and the running rollouts.

import type { Problem } from '../data/problems.ts';
import type { Parts } from '../parts.ts';
import { at, below, hostPath } from '../lib/router.ts';
import { Ago, State } from './kit.tsx';

const chips = 6; // hosts that are named
const whys = 3;

export function Problems({ list, store }: Parts & { list: Problem[] }) {
  if (list.length === 0) return <Calm hosts={store.hosts.value.length} />;
  return (
    <section class="card wrong" aria-labelledby="wrong">
      <h2 id="wrong">What is wrong</h2>
      <ul>
        {list.map((p) => (
          <Item key={p.id} problem={p} />
        ))}
      </ul>
    </section>
  );
}

function Calm({ hosts }: { hosts: number }) {
  return (
    <section class="card calm">
      <State state="ok">{hosts === 1 ? 'Nothing is wrong.' : `Nothing is wrong on ${hosts} hosts.`}</State>
    </section>
  );
}

function Item({ problem: p }: { problem: Problem }) {
  return (
    <li data-problem={p.id}>
      <State state={p.kind} tone={p.tone}>
        <b>
          <a href={leadsTo(p)}>{p.title}</a>
        </b>
      </State>
      {p.since > 0 && (
        <span class="since">
          <Ago ms={p.since} since />
        </span>
      )}
      <Whys problem={p} />
      {p.hosts.length > 1 || p.subject !== '' ? <Hosts problem={p} /> : null}
    </li>
  );
}

/** The link to details: the subject, or the hosts with the problem. */
export function leadsTo(p: Problem): string {
  if (p.kind === 'alert') return '/alerts';
  if (p.id.startsWith('rollout ')) return below('/rollouts', p.id.slice('rollout '.length));
  if (p.subject !== '') return below('/inspectors', p.subject);
  return p.hosts.length === 1 ? hostPath(p.hosts[0]) : at('/hosts', { q: p.kind });
}

function Whys({ problem: { reasons, hosts } }: { problem: Problem }) {
  const rest = reasons.length - whys;
  if (reasons.length === 0) return null;
  return (
    <ul class="whys">
      {reasons.slice(0, whys).map((r) => (
        <li key={r.text}>
          {r.text}
          {hosts.length > 1 && reasons.length > 1 && <span class="times"> on {r.hosts}</span>}
        </li>
      ))}
      {rest > 0 && <li class="times">and {rest} other reasons</li>}
    </ul>
  );
}

function Hosts({ problem: p }: { problem: Problem }) {
  const rest = p.hosts.length - chips;
  const words = [p.subject, p.kind].filter(Boolean).join(' ');
  return (
    <span class="where">
      {p.hosts.slice(0, chips).map((h) => (
        <a key={h} href={hostPath(h)}>
          {h}
        </a>
      ))}
      {rest > 0 && <a href={at('/hosts', { q: words })}>and {rest} more</a>}
    </span>
  );
}

/** Rollouts that run. */
export function Going({ fleet }: Parts) {
  const running = fleet.rollouts.value.filter((r) => r.state === 'running');
  if (running.length === 0) return null;
  return (
    <section class="card going" aria-labelledby="going">
      <h2 id="going">Rollouts that run</h2>
      <ul>
        {running.map((r) => {
          const stage = r.stages?.[r.stage];
          const text = stage ? `stage ${r.stage + 1} of ${r.stages!.length}, ${stage.summary.healthy} of ${stage.summary.hosts} healthy` : '';
          return (
            <li key={r.id}>
              <State state="running">
                <a href={below('/rollouts', r.id)}>{r.inspector}</a>
              </State>
              <span class="since">{text}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
