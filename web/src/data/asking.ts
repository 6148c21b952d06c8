// A probe that runs once on every selected host, and the answers. It is a trial of one
// run: nothing is stored, and every host either answers or is named.

import { signal, type Signal } from '@preact/signals';
import { Code as ErrorCode } from '../lib/rpc.ts';
import type { Code, Diagnostic } from './catalog.ts';
import type { Host, TrialEvent } from './wire.gen.ts';

interface Rpc {
  call<T>(method: string, params: object): Promise<T>;
  hear(listener: (method: string, params: any) => void): () => void;
}

/** One value in the answer of a host. */
export interface Answered {
  host: string;
  key: string;
  labels: Record<string, string>;
  value: number;
}

/** Why a host did not answer completely. */
export interface Silent {
  host: string;
  why: string;
}

export type AskPhase = 'idle' | 'asking' | 'done';

/** The longest possible interval (ms), so that the probe runs once. */
const once = 24 * 3_600_000;
/** How many hosts one trial takes. */
export const atOnce = 1000;
const gather = 100; // ms for which answers are collected before they are shown

/** The hosts that can be asked, and why the others cannot. */
export function whoToAsk(hosts: Pick<Host, 'host' | 'state' | 'simple'>[]): { up: string[]; silent: Silent[] } {
  const up: string[] = [];
  const silent: Silent[] = [];
  for (const { host, state, simple } of hosts) {
    if (simple) silent.push({ host, why: 'it reports by single calls, and runs no code' });
    else if (state !== 'up') silent.push({ host, why: `it is ${state}` });
    else up.push(host);
  }
  return { up, silent };
}

/** The answer in an event of a trial: values, and why some are missing; null if more will come. */
export function answerOf(e: TrialEvent): { rows: Answered[]; why: string } | null {
  if (e.run) {
    const samples = e.run.samples ?? [];
    const more = e.run.more ?? 0;
    const rows = samples.flatMap((s) => (s.val === null ? [] : [{ host: e.host, key: s.key, labels: s.labels ?? {}, value: s.val }]));
    const cut = more > 0 ? `${more} of its ${samples.length + more} values are left out` : '';
    return { rows, why: e.run.error || cut };
  }
  return e.ended ? { rows: [], why: e.error || 'it did not answer in time' } : null;
}

export class Asking {
  readonly phase: Signal<AskPhase> = signal('idle');
  readonly rows: Signal<Answered[]> = signal([]);
  readonly silent: Signal<Silent[]> = signal([]);
  /** The number of selected hosts, and of those that have not answered yet. */
  readonly asked = signal(0);
  readonly awaited = signal(0);
  /** Why nobody could be asked, or ''. */
  readonly error = signal('');
  /** Faults that the master found in the code. */
  readonly faults: Signal<Diagnostic[]> = signal([]);
  private turn = 0;
  private trial = '';
  private waiting = new Set<string>();
  private early: TrialEvent[] | null = null; // events that arrive before the answer that names the trial
  private newRows: Answered[] = [];
  private newSilent: Silent[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private answered: () => void = () => {};
  private stopHearing: (() => void) | undefined;

  constructor(private readonly rpc: Rpc) {}

  /** Asks the hosts of a selector; '' is all. */
  async start(code: Code, selector: string, forMs: number): Promise<void> {
    await this.stop();
    const turn = ++this.turn;
    this.stopHearing ??= this.rpc.hear((method, params) => method === 'trial' && this.take(params as TrialEvent));
    this.rows.value = [];
    this.silent.value = [];
    this.error.value = '';
    this.faults.value = [];
    this.asked.value = this.awaited.value = 0;
    this.phase.value = 'asking';
    try {
      const { hosts } = await this.rpc.call<{ hosts: Host[] | null }>('hosts.list', selector ? { selector } : {});
      if (turn !== this.turn) return;
      const { up, silent } = whoToAsk(hosts ?? []);
      this.asked.value = up.length + silent.length;
      this.silent.value = silent;
      if (this.asked.value === 0) throw new Error(selector ? `no host has the labels ${selector}` : 'no host has reported yet');
      const params = { code: { ...code, interval_ms: once }, for_ms: forMs };
      for (let i = 0; i < up.length && turn === this.turn; i += atOnce) {
        this.awaited.value = up.length - i;
        await this.some(params, up.slice(i, i + atOnce), turn);
      }
    } catch (e) {
      if (turn !== this.turn) return;
      this.error.value = e instanceof Error ? e.message : String(e);
      this.faults.value = ((e as { data?: { diagnostics?: Diagnostic[] } }).data?.diagnostics ?? []).slice();
    }
    if (turn !== this.turn) return;
    this.flush();
    this.awaited.value = 0;
    this.phase.value = 'done';
  }

  /** Ends the trial, and names the hosts that have not answered. */
  async stop(why = 'it had not answered when the question was stopped'): Promise<void> {
    if (this.phase.peek() !== 'asking') return;
    this.turn++;
    for (const host of this.waiting) this.newSilent.push({ host, why });
    this.flush();
    this.waiting.clear();
    this.awaited.value = 0;
    this.phase.value = 'done';
    this.answered();
    await this.end();
  }

  /** The link went down, so the master has ended the trial. */
  lost(): void {
    this.trial = '';
    void this.stop('the connection was lost before it had answered');
  }

  close(): void {
    void this.stop();
    clearTimeout(this.timer);
    this.stopHearing?.();
    this.stopHearing = undefined;
  }

  /** Asks some hosts and waits until each has answered or cannot. */
  private async some(params: object, hosts: string[], turn: number): Promise<void> {
    this.early = [];
    const got = await this.rpc.call<{ trial: string; hosts: string[] | null; away?: string[] }>('trials.start', { ...params, hosts }).catch((e: { code?: number; message: string }) => {
      // None of them is connected any more; that answers for these hosts only.
      if (e.code !== ErrorCode.conflict) throw e;
      this.newSilent.push(...hosts.map((host) => ({ host, why: e.message })));
      return null;
    });
    const early = this.early;
    this.early = null;
    if (!got) return;
    this.trial = got.trial;
    if (turn !== this.turn) return void (await this.end());
    for (const host of got.away ?? []) this.newSilent.push({ host, why: 'it is not connected' });
    this.waiting = new Set(got.hosts ?? []);
    const all = new Promise<void>((done) => (this.answered = done));
    for (const e of early) this.take(e);
    if (this.waiting.size > 0) await all;
    await this.end();
  }

  private async end(): Promise<void> {
    const { trial } = this;
    this.trial = '';
    // A trial that has already ended is not an error.
    if (trial) await this.rpc.call('trials.stop', { trial }).catch(() => {});
  }

  private take(e: TrialEvent): void {
    if (this.early) return void this.early.push(e);
    if (e.trial !== this.trial || !this.waiting.has(e.host)) return;
    const answer = answerOf(e);
    if (!answer) return;
    this.waiting.delete(e.host);
    this.newRows.push(...answer.rows);
    if (answer.why) this.newSilent.push({ host: e.host, why: answer.why });
    this.timer ??= setTimeout(() => this.flush(), gather);
    if (this.waiting.size === 0) this.answered();
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.newRows.length > 0) this.rows.value = [...this.rows.peek(), ...this.newRows.splice(0)];
    if (this.newSilent.length > 0) this.silent.value = [...this.silent.peek(), ...this.newSilent.splice(0)];
    if (this.phase.peek() === 'asking') this.awaited.value = this.waiting.size;
  }
}
