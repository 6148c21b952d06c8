// One inspector on many hosts, as charts with a line for each host: a store with a
// single host that stands for all, in which the host is the first label.

import { everybody } from '../charts/promql.ts';
import { Store, type HostModel } from './store.ts';
import type { HistoryRange, Samples, Series } from './wire.ts';


export interface Which {
  host: string;
  key: string;
  labels: Record<string, string>;
  kind?: 'gauge' | 'counter';
}

export class Lines {
  readonly store = new Store();
  readonly host: HostModel;
  private readonly ids = new Map<string, number>();
  private readonly names = new Map<number, Series>(); // of the master's subscription

  constructor(private readonly main: Pick<Store, 'masterOffset' | 'get'>) {
    this.store.setMasterClock(Date.now() - main.masterOffset);
    this.store.setHost({ host: everybody, state: 'up', since_ms: 0, last_seen_ms: 0, skew_ms: 0, series: 0, samples: 0 });
    this.host = this.store.get(everybody)!;
  }

  /** Adds one sample, at a time of its host's clock. */
  add(which: Which, time: number, value: number): void {
    const id = JSON.stringify([which.host, which.key, which.labels]);
    let number = this.ids.get(id);
    const series: Series[] = [];
    if (number === undefined) {
      number = this.ids.size + 1;
      this.ids.set(id, number);
      series.push({ id: number, ...asLine(which) });
    }
    this.store.apply({ subscription: 0, series, t: [time - this.skew(which.host)], s: [number], v: [value] });
  }

  /** A subscription starts anew. */
  restart(): void {
    this.names.clear();
  }

  /** Stores samples of a subscription whose keys are wanted. */
  take(samples: Samples, wanted: (key: string) => boolean): void {
    for (const s of samples.series ?? []) this.names.set(s.id, s);
    for (let i = 0; i < samples.s.length; i++) {
      const s = this.names.get(samples.s[i]);
      if (s && wanted(s.key)) this.add({ host: s.host, key: s.key, labels: s.labels ?? {}, kind: s.kind }, samples.t[i], samples.v[i]);
    }
  }

  /** Stores samples of the past. */
  takePast(range: HistoryRange, wanted: (key: string) => boolean, grain: number, span: number): void {
    const series = (range.series ?? []).filter((s) => wanted(s.key));
    if (series.length === 0) return;
    const skews = new Map(series.map((s) => [s.id, this.skew(s.host)]));
    const lines = series.map((s) => ({ id: s.id, ...asLine({ host: s.host, key: s.key, labels: s.labels ?? {}, kind: s.kind }) }));
    const t = range.t.map((time, i) => time - (skews.get(range.s[i]) ?? 0));
    this.store.applyPast(this.host, { ...range, series: lines, t }, grain, span);
    // For many lines the history gives wide columns; the time between two of them is
    // not a gap.
    const width = (range.to_ms - range.from_ms + 1) / range.points;
    if (grain === 0) for (const { track } of this.host.byId.values()) track.grain = width;
  }

  private skew(host: string): number {
    return this.main.get(host)?.info.peek()?.skew_ms ?? 0;
  }
}

function asLine({ host, key, labels, kind }: Which): Omit<Series, 'id'> {
  // The name of the host comes first; a label cannot begin with a newline.
  return { host: everybody, key, labels: { __host: host, ...labels }, kind };
}

/** Whether a key belongs to an inspector: its name, or one below it. */
export function isOf(inspector: string): (key: string) => boolean {
  return (key) => key === inspector || key.startsWith(`${inspector}/`);
}
