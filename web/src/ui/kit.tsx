// What pages are made of: states in a shape and a word, times, badges, empty
// states, errors. A page that needs one of these takes it from here, so that all
// pages look and read alike.

import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { ago, exact } from '../lib/time.ts';

export type Tone = 'good' | 'warn' | 'bad' | 'idle' | 'plain';

/** The severity of the product's words: states of hosts, inspectors, receipts and rollouts. */
export function toneOf(state: string): Tone {
  switch (state) {
    case 'up':
    case 'ok':
    case 'healthy':
    case 'done':
      return 'good';
    case 'failing':
    case 'failed':
    case 'starved':
    case 'refused':
    case 'late':
    case 'paused':
      return 'warn';
    case 'quarantined':
    case 'rolled back':
    case 'gone':
      return 'bad';
    case 'starting':
    case 'pending':
    case 'received':
    case 'verified':
    case 'loaded':
    case 'running':
      return 'idle';
    default:
      return 'plain';
  }
}

/** A state as a shape and a word, so nobody needs to see its colour. */
export function State({ state, tone = toneOf(state), children }: { state: string; tone?: Tone; children?: ComponentChildren }) {
  return (
    <span class="state-of" data-tone={tone} data-state={state}>
      <i aria-hidden="true" />
      {children ?? state}
    </span>
  );
}

/** A word in a box: built in, pushed, paused. */
export function Badge({ tone = 'plain', title, children }: { tone?: Tone; title?: string; children: ComponentChildren }) {
  return (
    <span class="badge" data-tone={tone} title={title}>
      {children}
    </span>
  );
}

const often = 10_000; // ms between two looks at the clock

/** A time of the browser's clock as people say it, `3 min ago`, and exactly when one points at it. */
export function Ago({ ms, since = false }: { ms: number; /** `for 3 min`, as of a state that holds. */ since?: boolean }) {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => (now.value = Date.now()), often);
    return () => clearInterval(timer);
  }, []);
  if (!(ms > 0)) return <span>never</span>;
  const text = ago(ms, Math.max(now.value, Date.now()));
  return (
    <time dateTime={new Date(ms).toISOString()} title={exact(ms)}>
      {since ? text.replace(/^(.*) ago$/, 'for $1') : text}
    </time>
  );
}

/** Says that there is nothing, and what to do about it. `first` makes its title the page's. */
export function Empty({
  title,
  command,
  first = false,
  children,
}: {
  title: string;
  /** A command line that is the next step. */
  command?: string;
  first?: boolean;
  children?: ComponentChildren;
}) {
  return (
    <section class="empty">
      {first ? <h1 tabIndex={-1}>{title}</h1> : <h2>{title}</h2>}
      {children !== undefined && <p>{children}</p>}
      {command && <pre tabIndex={0}>{command}</pre>}
    </section>
  );
}

/** An error of a call, with a button that tries again. */
export function Fault({ what, error, retry }: { what: string; error: unknown; retry?: () => void }) {
  const why = error instanceof Error ? error.message : String(error);
  return (
    <p class="notice bad" role="alert">
      <span>
        {what}: {why}
      </span>
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </p>
  );
}

/** Shown until the first answer arrives. */
export function Waiting({ children }: { children: ComponentChildren }) {
  return <p class="waiting">{children}</p>;
}

/** The hosts that a page shows if our role is bound to some; counts cover only these. */
export function Bound({ to }: { to: string | undefined }) {
  if (!to) return null;
  return (
    <span class="count" title="Your role is for hosts with these labels; the page shows those, and counts no others.">
      You see hosts with <code>{to}</code>
    </span>
  );
}

/** The line at the top of a page: its name, and at the right what one can do there. */
export function Head({ title, count, bound, children }: {
  title: ComponentChildren;
  count?: ComponentChildren;
  /** The labels that our role is bound to, where the count is of hosts. */
  bound?: string;
  children?: ComponentChildren;
}) {
  return (
    <div class="head">
      <h1 tabIndex={-1}>{title}</h1>
      {count !== undefined && <span class="count">{count}</span>}
      <Bound to={bound} />
      {children !== undefined && <div class="tools">{children}</div>}
    </div>
  );
}
