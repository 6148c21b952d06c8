// A trial: a draft that runs on some hosts for a while. Its values go into a separate
// store, as one chart for each key with a line for each host; nothing is kept.

import { signal, type Signal } from '@preact/signals';
import type { Code, Diagnostic } from './catalog.ts';
import { Lines } from './lines.ts';
import type { Store } from './store.ts';
import type { TrialCost as Cost, TrialEvent as TrialReport } from './wire.gen.ts';

export type { Cost, TrialReport };

interface Rpc {
  call<T>(method: string, params: object): Promise<T>;
  hear(listener: (method: string, params: any) => void): () => void;
}

/** The last value on a host. */
export interface Value {
  key: string;
  labels: Record<string, string>;
  value: number;
}

/** The state of a trial on one host. */
export interface TrialHost {
  host: string;
  state: string;
  error: string;
  ended: boolean;
  cost: Cost | null;
  values: Value[];
}

export interface Line {
  host: string;
  text: string;
}

export type Phase = 'idle' | 'starting' | 'running' | 'ended';

const mostLines = 500;
const mostEarly = 200; // events that arrived before the answer that names the trial

export class Trial {
  readonly phase: Signal<Phase> = signal('idle');
  readonly hosts: Signal<TrialHost[]> = signal([]);
  readonly away: Signal<string[]> = signal([]);
  readonly lines: Signal<Line[]> = signal([]);
  /** Why it could not be started, or ''. */
  readonly error = signal('');
  /** Faults that the master found in the code. */
  readonly faults: Signal<Diagnostic[]> = signal([]);
  /** The ms from the click to the first sample; 0 before it. */
  readonly firstMs = signal(0);
  chart: Lines;
  /** The code that runs, or ran. */
  source = '';
  private id = '';
  private turn = 0;
  private pressed = 0;
  private early: TrialReport[] = [];
  private stopHearing: (() => void) | undefined;

  constructor(
    private readonly rpc: Rpc,
    private readonly main: Pick<Store, 'masterOffset' | 'get'>,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.chart = new Lines(main);
  }

  async start(code: Code, where: { hosts: string[] } | { selector: string }, forMs: number): Promise<void> {
    await this.stop();
    const turn = ++this.turn;
    this.pressed = this.now();
    this.source = code.source ?? '';
    this.chart = new Lines(this.main);
    this.hosts.value = [];
    this.lines.value = [];
    this.away.value = [];
    this.faults.value = [];
    this.error.value = '';
    this.firstMs.value = 0;
    this.early = [];
    this.phase.value = 'starting';
    this.stopHearing ??= this.rpc.hear((method, params) => method === 'trial' && this.report(params as TrialReport));
    try {
      const params = { code: { ...code, interval_ms: code.interval_ms ?? 1000 }, for_ms: forMs, ...where };
      const got = await this.rpc.call<{ trial: string; hosts: string[] | null; away?: string[] }>('trials.start', params);
      if (turn !== this.turn) {
        this.rpc.call('trials.stop', { trial: got.trial }).catch(() => {});
        return;
      }
      this.id = got.trial;
      this.away.value = got.away ?? [];
      this.hosts.value = (got.hosts ?? []).map((host) => ({ host, state: 'pending', error: '', ended: false, cost: null, values: [] }));
      this.phase.value = this.hosts.value.length > 0 ? 'running' : 'ended';
      for (const r of this.early.splice(0)) this.report(r);
    } catch (e) {
      if (turn !== this.turn) return;
      this.phase.value = 'ended';
      this.error.value = e instanceof Error ? e.message : String(e);
      this.faults.value = ((e as { data?: { diagnostics?: Diagnostic[] } }).data?.diagnostics ?? []).slice();
    }
  }

  /** Ends the trial. Its values stay visible. */
  async stop(): Promise<void> {
    this.turn++;
    const { id } = this;
    this.id = '';
    if (this.phase.peek() === 'running' || this.phase.peek() === 'starting') this.phase.value = 'ended';
    if (id) await this.rpc.call('trials.stop', { trial: id }).catch(() => {});
  }

  /** The link went down, so the master has ended the trial. */
  lost(): void {
    if (this.phase.peek() !== 'running') return;
    this.id = '';
    this.phase.value = 'ended';
    this.error.value = 'The connection was lost, and the trial has ended with it.';
  }

  close(): void {
    void this.stop();
    this.stopHearing?.();
    this.stopHearing = undefined;
  }

  private report(r: TrialReport): void {
    if (this.phase.peek() === 'starting' && this.early.length < mostEarly) this.early.push(r);
    if (r.trial !== this.id || !this.id) return;
    this.hosts.value = this.hosts.peek().map((h) => (h.host === r.host ? next(h, r) : h));
    if (r.lines?.length) {
      this.lines.value = [...this.lines.peek(), ...r.lines.map((text) => ({ host: r.host, text }))].slice(-mostLines);
    }
    const samples = valuesOf(r);
    if (samples.length > 0 && this.firstMs.peek() === 0) this.firstMs.value = Math.max(1, this.now() - this.pressed);
    if (r.run) for (const s of samples) this.chart.add({ host: r.host, key: s.key, labels: s.labels }, r.run.ts, s.value);
    if (this.hosts.peek().every((h) => h.ended)) {
      this.id = '';
      this.phase.value = 'ended';
    }
  }
}

/** The values of the run in a report. */
function valuesOf(r: TrialReport): Value[] {
  return (r.run?.samples ?? []).flatMap((s) => (s.val === null ? [] : { key: s.key, labels: s.labels ?? {}, value: s.val }));
}

/** The state of a trial on a host after a report. */
export function next(h: TrialHost, r: TrialReport): TrialHost {
  const failed = r.run ? (r.run.error ?? (r.run.more ? `${r.run.more} values more are left out` : '')) : h.error;
  return {
    host: h.host,
    state: r.state ?? (r.run ? (r.run.error ? 'failed' : 'healthy') : h.state),
    error: r.error ?? failed,
    ended: h.ended || r.ended === true,
    cost: r.cost ?? h.cost,
    values: r.run?.samples ? valuesOf(r) : h.values,
  };
}
