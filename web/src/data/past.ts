// Fetches from the master's history everything that the charts near the screen show and
// this page has not seen live: after opening, after a lost link, and for windows longer
// than the memory.
//
// Each request follows from what is wanted and what is known at that moment; there is
// no queue of requests that nobody needs any more. A sample is identified by its series
// and time, so answers may overlap with live samples without a seam. Times here are on
// the host's clock unless stated otherwise.

import { Code, RpcError } from '../lib/rpc.ts';
import { Spans, type Span } from './spans.ts';
import type { HostModel, Store } from './store.ts';
import type { HistoryRange } from './wire.ts';

/** What the charts show. */
export interface Shown {
  /** Hosts whose charts are near the screen, those on it first. */
  hosts(): HostModel[];
  /** Milliseconds that charts show. */
  readonly span: number;
  /** The milliseconds of one point of a chart; 0 is every sample. */
  readonly grain: number;
  /** A name for the part of the past that is shown; '' for the last minutes. */
  readonly place: string;
  /** Milliseconds before now that it begins. */
  readonly reach: number;
  /** Time at the right edge of a host's charts, on our clock. */
  edgeOf(host: HostModel): number;
  /** There are new samples to draw. */
  refresh(host: HostModel): void;
}

/** The part of Rpc that is used. */
export interface Caller {
  call<T>(method: string, params: object): Promise<T>;
}

const parallel = 2; // calls at a time
const tick = 1_000; // ms between two looks at what is missing
/** Samples of one answer: the master gives at most 60,000. */
const answerSamples = 56_000;
const answerPoints = 10_000;
/** Series of one call: the master gives at most 2,000. */
const answerSeries = 1_500;
/** Samples before the window, from which lines enter it and counters grow. */
const margin = 20_000;
/** Samples in transit when a subscription starts, or a link breaks. */
const slack = 3_000;
const least = 1_000; // the shortest span in ms that is worth a call
const leastStep = 100; // the longest step in ms between samples that is believed
const leastPace = 30_000; // ms between two looks at the end of a long window
const farFor = 60_000; // ms off the screen after which thinned samples are dropped
const firstPause = 5_000; // ms after an error; it doubles
const longestPause = 60_000;

/** One pattern, and what is known of it. */
interface Unit {
  host: HostModel;
  pattern: string;
  /** Known with every sample. */
  whole: Spans;
  /** Known at the present grain. */
  thin: Spans;
  thinTo: number;
  /** The number of series that an answer must have room for. */
  series: number;
  /** The ms between samples, if found to be less than the host says; or Infinity. */
  step: number;
  busy: boolean;
  /** When it was near the screen last, on our clock. */
  nearAt: number;
}

interface Ask {
  unit: Unit;
  grain: number;
  from: number;
  to: number;
  points: number;
}

export class Past {
  private readonly units = new Map<string, Unit>();
  /** Hosts with more series than an answer has room for. */
  private readonly wide = new Set<HostModel>();
  private busy = 0;
  private grain = 0;
  private place = '';
  private span = 0;
  private epoch = 0;
  /** Since when all samples come live, on our clock; Infinity while the link is down. */
  private liveSince = Infinity;
  private lostSince = 0; // on our clock; 0 where nothing was lost
  private resumeAt = 0; // no calls before this time, on our clock
  private pause = firstPause;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly rpc: Caller,
    private readonly store: Store,
    private readonly shown: Shown,
    private readonly now: () => number = Date.now,
  ) {}

  /** Fetches missing samples from now on. stop() ends that. */
  start(): void {
    this.timer = setInterval(() => this.look(), tick);
  }

  stop(): void {
    clearInterval(this.timer);
    this.down();
  }

  /** Samples come live from now on. */
  up(): void {
    this.endLive();
    this.liveSince = this.now();
    this.epoch++;
    this.resumeAt = 0;
    this.pause = firstPause;
    this.look();
  }

  /** The link is down, so nothing can be fetched. */
  down(): void {
    this.endLive();
    this.liveSince = Infinity;
    this.epoch++;
  }

  /** Live samples were lost on the way. */
  lost(): void {
    this.lostSince ||= this.now() - tick;
  }

  /** Requests missing samples while calls are free. */
  look(): void {
    const now = this.now();
    if (now < this.resumeAt || this.liveSince === Infinity) return;
    if (this.lostSince && now - this.lostSince > 3 * tick) {
      // As after a lost link, from shortly before.
      this.endLive(this.lostSince);
      this.liveSince = now;
      this.lostSince = 0;
    }
    this.follow();
    const near = this.near(now);
    while (this.busy < parallel) {
      const ask = this.next(near);
      if (!ask) break;
      void this.ask(ask);
    }
    this.forgetFar(now);
  }

  /** Live samples up to now are known. */
  private endLive(until = this.store.heardAt): void {
    if (this.liveSince === Infinity) return;
    for (const { host, whole } of this.units.values()) {
      const { offset } = host.clock;
      whole.add(this.liveSince - offset, until - slack - least - offset);
    }
  }

  /** Records which window is shown; thinned samples belong to one window. */
  private follow(): void {
    const { grain, span, place } = this.shown;
    if (grain !== this.grain || place !== this.place) {
      for (const unit of this.units.values()) this.dropThin(unit);
      this.grain = grain;
    }
    if (span !== this.span || place !== this.place) this.store.keepFor(this.shown.reach);
    this.place = place;
    this.span = span;
  }

  private dropThin(unit: Unit): void {
    unit.thin.clear();
    unit.thinTo = -Infinity;
    this.store.dropPast(unit.host);
  }

  private forgetFar(now: number): void {
    if (this.grain === 0) return;
    for (const unit of this.units.values()) {
      if (unit.thinTo > -Infinity && now - unit.nearAt > farFor) this.dropThin(unit);
    }
  }

  private near(now: number): Unit[] {
    const out: Unit[] = [];
    for (const host of this.shown.hosts()) {
      const info = host.info.peek();
      if (!info) continue; // its clock is not known yet
      if (this.store.get(host.name) !== host) continue; // it stands for many hosts, and has its own past
      if (Math.max(info.series, host.byId.size) > answerSeries) this.wide.add(host);
      for (const pattern of this.patterns(host)) {
        const unit = this.unit(host, pattern);
        unit.nearAt = now;
        out.push(unit);
      }
    }
    return out;
  }

  private patterns(host: HostModel): string[] {
    if (!this.wide.has(host)) return [`metrics/${host.name}/*`];
    const names = new Set([...host.byId.values()].map((s) => s.key.split('/', 1)[0]));
    return [...names].map((name) => `metrics/${host.name}/${name}*`);
  }

  private unit(host: HostModel, pattern: string): Unit {
    let unit = this.units.get(pattern);
    if (!unit || unit.host !== host) {
      const series = this.wide.has(host) ? 50 : 1;
      unit = {
        host,
        pattern,
        whole: new Spans(),
        thin: new Spans(),
        thinTo: -Infinity,
        series,
        step: Infinity,
        busy: false,
        nearAt: 0,
      };
      this.units.set(pattern, unit);
    }
    if (!this.wide.has(host)) {
      unit.series = Math.max(unit.series, host.byId.size, host.info.peek()?.series ?? 0);
    }
    return unit;
  }

  private next(near: Unit[]): Ask | null {
    for (const unit of near) {
      if (unit.busy) continue;
      const ask = this.grain > 0 ? this.thinAsk(unit) : this.wholeAsk(unit);
      if (ask) return ask;
    }
    return null;
  }

  /** The newest missing samples before the live ones. */
  private wholeAsk(unit: Unit): Ask | null {
    const { offset } = unit.host.clock;
    const edge = this.shown.edgeOf(unit.host);
    const from = edge - this.span - offset;
    const to = Math.min(edge, this.liveSince) - offset;
    const gap = unit.whole.missing(from, to, least);
    if (!gap) return null;
    const step = Math.max(leastStep, Math.min(unit.step, unit.host.step));
    const points = Math.max(1, Math.min(answerPoints, Math.floor(answerSamples / 2 / unit.series)));
    const [first, last] = rounded([gap[0] - margin, gap[1] + slack]);
    const begin = Math.max(first, last - Math.floor(points * step));
    return { unit, grain: 0, from: begin, to: last, points: Math.min(points, Math.ceil((last - begin + 1) / step)) };
  }

  /** The columns of a long window that are missing, aligned so that they never move. */
  private thinAsk(unit: Unit): Ask | null {
    const { offset } = unit.host.clock;
    const { grain } = this;
    const edge = this.shown.edgeOf(unit.host);
    const begin = edge - this.span - offset - grain;
    let gap = unit.thin.missing(begin, edge - offset, least);
    if (gap && gap[0] >= unit.thinTo && !this.due(unit, gap)) gap = unit.thin.missing(begin, unit.thinTo, least);
    if (!gap) return null;
    const points = Math.max(1, Math.min(answerPoints, Math.floor(answerSamples / 3 / unit.series)));
    const to = (Math.floor(gap[1] / grain) + 1) * grain;
    const from = Math.max(Math.floor(gap[0] / grain) * grain, to - points * grain);
    return { unit, grain, from, to: to - 1, points: (to - from) / grain };
  }

  /** The end of a long window is drawn from live samples, and fetched from time to time. */
  private due(unit: Unit, [from, to]: Span): boolean {
    if (to - from >= Math.max(leastPace, this.grain)) return true;
    return from + unit.host.clock.offset < this.liveSince - 3 * slack;
  }

  private async ask(ask: Ask): Promise<void> {
    const { unit, grain, from, to, points } = ask;
    const { epoch, place } = this;
    const askedAt = this.now() - unit.host.clock.offset;
    unit.busy = true;
    this.busy++;
    try {
      const params = { pattern: unit.pattern, from_ms: from, to_ms: to, points, ...(grain > 0 && { means: true }) };
      const range = await this.rpc.call<HistoryRange>('history.range', params);
      this.pause = firstPause;
      if ((grain === this.shown.grain && place === this.shown.place) || grain === 0) this.take(ask, range, askedAt);
    } catch (e) {
      if (epoch === this.epoch) this.failed(e);
    } finally {
      unit.busy = false;
      this.busy--;
    }
    this.look();
  }

  private take(ask: Ask, range: HistoryRange, askedAt: number): void {
    const { unit, grain, from, to } = ask;
    const { host } = unit;
    const count = range.series?.length ?? 0;
    if (range.truncated && !this.wide.has(host) && host.byId.size > 0) this.wide.add(host);
    this.store.applyPast(host, range, grain, this.span + 2 * grain);
    this.shown.refresh(host);
    const crowded = range.points < ask.points && count > unit.series;
    unit.series = Math.max(unit.series, count);
    if (crowded) return; // columns were made wider: again, in smaller parts
    if (grain > 0) {
      const until = Math.min(to, askedAt - slack);
      unit.thin.add(from, until);
      unit.thinTo = Math.max(unit.thinTo, until);
      return;
    }
    const step = (to - from + 1) / ask.points;
    if (step > leastStep && dense(range, step)) {
      unit.step = Math.max(leastStep, step / 4);
      return; // again, with narrower columns
    }
    unit.whole.add(from, to);
  }

  /** Without a history the page continues with live samples. */
  private failed(e: unknown): void {
    const { code, data } = e instanceof RpcError ? e : new RpcError(0, String(e));
    const never = code === Code.noMethod || code === Code.forbidden;
    const asked = (data as { retry_after_ms?: number } | undefined)?.retry_after_ms;
    this.resumeAt = never ? Infinity : this.now() + (asked ?? this.pause);
    this.pause = Math.min(longestPause, this.pause * 2);
  }
}

function rounded([from, to]: Span): Span {
  return [Math.max(0, Math.floor(from)), Math.ceil(to)];
}

/** Whether a series has so many samples in columns of this width that some may be missing. */
function dense(range: HistoryRange, width: number): boolean {
  const { t, s } = range;
  for (let i = 0, end = 0; i < s.length; i = end) {
    end = i + 1;
    while (end < s.length && s[end] === s[i]) end++;
    const n = end - i - 1;
    if (n >= 8 && (t[end - 1] - t[i]) / n < width / 1.5) return true;
  }
  return false;
}
