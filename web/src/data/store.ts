// The data of the page: hosts, their charts, and the samples of each series.
//
// Samples change nothing reactive: charts read tracks when they draw. Signals change
// only when something else must be shown: a new host, chart or line, or another state.

import { batch, signal, type Signal } from '@preact/signals';
import { meaningOf, unitNames, type Unit } from '../lib/units.ts';
import { HostClock } from './clock.ts';
import { compareNames } from './names.ts';
import { Budget, Track } from './track.ts';
import type { Columns, HistoryRange, Host, InspectorStatus, Samples, Series as Declared } from './wire.ts';

/** The ms of samples that are kept if the budget allows. */
export const horizon = 16 * 60_000;
/** Points of all series together: 80 MB. */
const budgetPoints = 5_000_000;

/** One line. */
export interface Series {
  /** The id of the line within its host: key and labels. */
  id: string;
  key: string;
  item: string;
  labels: Record<string, string>;
  /** The item in words, without its unit: `inodes used`. */
  words: string;
  /** The values of the labels, by name. */
  values: string;
  kind: 'gauge' | 'counter' | undefined;
  rate: boolean;
  track: Track;
  /** Its samples of the last hours, thinned out; null if none were requested. */
  past: Track | null;
  /** The start of each thinned column, and the mean of all its samples; null if none were requested. */
  means: Track | null;
  /** No longer shown; its track is empty. */
  dropped: boolean;
}

/** The lines of one host that have the same first segment and unit. */
export interface Chart {
  id: string;
  host: HostModel;
  /** First segment of the keys. */
  name: string;
  unit: Unit;
  series: Series[];
  /** Increases when a line is added or removed. */
  revision: Signal<number>;
}

export class HostModel {
  readonly info: Signal<Host | null> = signal(null);
  readonly charts: Signal<Chart[]> = signal([]);
  readonly clock = new HostClock();
  readonly byId = new Map<string, Series>();
  readonly byKey = new Map<string, Series[]>();
  /** When the last live sample arrived, on our clock; 0 before the first. */
  heardAt = 0;
  /** The master knows the host. */
  listed = true;
  constructor(readonly name: string) {}

  /** Adds a line, and replaces one with the same id. */
  put(series: Series): void {
    this.take(series.id);
    this.byId.set(series.id, series);
    this.byKey.set(series.key, [...(this.byKey.get(series.key) ?? []), series]);
  }

  /** Removes a line. */
  take(id: string): void {
    const series = this.byId.get(id);
    if (!series) return;
    this.byId.delete(id);
    const rest = this.byKey.get(series.key)!.filter((s) => s !== series);
    if (rest.length > 0) this.byKey.set(series.key, rest);
    else this.byKey.delete(series.key);
  }

  /** The time of the newest sample, on the host's clock; 0 if there is none. */
  get newest(): number {
    let newest = 0;
    for (const s of this.byId.values()) newest = Math.max(newest, s.track.lastTime);
    return newest;
  }

  /** The ms between two runs of the most frequent inspector. */
  get step(): number {
    let least = Infinity;
    for (const i of this.info.peek()?.inspectors ?? []) least = Math.min(least, i.interval_ms || Infinity);
    for (const s of this.byId.values()) least = Math.min(least, s.track.step() || Infinity);
    return least === Infinity ? 1_000 : least;
  }

  get gone(): boolean {
    return this.info.value?.state === 'gone';
  }
}

const order = [
  'load',
  'cpu',
  'memory',
  'swap',
  'disk',
  'disk-io',
  'network',
  'processes',
  'tcp',
  'temperature',
  'uptime',
];
/** The most telling charts of the names above; the others come after those of the user's own inspectors. */
const primary = new Set([
  'load|',
  'cpu|percent',
  'memory|percent',
  'memory|bytes',
  'disk|percent',
  'disk-io|bytes/s',
  'network|bytes/s',
  'processes|count',
  'tcp|count',
  'temperature|celsius',
]);
/** The product's measurements of itself come last. */
export const selfChart = 'vedette';

/** The index in sorted hosts at which the name belongs. */
function placeOf(name: string, hosts: HostModel[]): number {
  let [from, to] = [0, hosts.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (compareNames(hosts[middle].name, name) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

export class Store {
  readonly hosts: Signal<HostModel[]> = signal([]);
  /** Live events that the master could not send fast enough. */
  readonly lost = signal(0);
  readonly budget = new Budget(budgetPoints);
  private readonly byName = new Map<string, HostModel>();
  private numbers: (Entry | undefined)[] = [];
  private browserLessMaster = 0;
  private keep = horizon;
  /** The number of samples received. */
  samples = 0;
  /** When the last samples arrived, on our clock; 0 before the first. */
  heardAt = 0;

  constructor(private readonly now: () => number = Date.now) {}

  /** Records the master's clock at the time its message arrived. */
  setMasterClock(ms: number): void {
    this.browserLessMaster = this.now() - ms;
    for (const host of this.byName.values()) this.tellClock(host);
  }

  /** The ms to add to a time of the master to convert it to our clock. */
  get masterOffset(): number {
    return this.browserLessMaster;
  }

  /** Stores what the master knows about a host. */
  setHost(info: Host): void {
    const host = this.host(info.host);
    host.listed = true;
    host.info.value = info;
    this.tellClock(host);
    if (info.inspectors?.some((i) => i.boosted_ms)) keepSteps(host);
  }

  /**
   * Stores the whole list. A host that is not on it counts as gone, and stays while
   * it still has something to show: a master that has just started does not know
   * its hosts until they have reconnected.
   */
  setHosts(list: Host[]): void {
    const names = new Set(list.map((h) => h.host));
    for (const host of this.byName.values()) {
      if (names.has(host.name)) continue;
      host.listed = false;
      const info = host.info.peek() ?? { ...unknown, host: host.name };
      host.info.value = { ...info, state: 'gone', since_ms: info.last_seen_ms || host.newest };
    }
    batch(() => list.forEach((h) => this.setHost(h))); // or who follows hosts would look at all of them for each
  }

  get(name: string): HostModel | undefined {
    return this.byName.get(name);
  }

  /** A subscription starts again, and declares numbers of series again. */
  restart(): void {
    this.numbers = [];
  }

  /** Stores samples. */
  apply(samples: Samples): void {
    batch(() => {
      for (const declared of samples.series ?? []) this.numbers[declared.id] = this.declareLive(declared);
    });
    const now = this.now();
    this.heardAt = now;
    const { t, s, v } = samples;
    this.samples += s.length;
    // The first samples of a subscription are the latest known ones, however old.
    const live = !samples.series?.length;
    for (let i = 0; i < s.length; i++) {
      let entry = this.numbers[s[i]];
      if (!entry) continue;
      if (entry.series.dropped) entry = this.numbers[s[i]] = this.declare(entry.declared);
      entry.series.track.push(t[i], v[i]);
      if (!live) continue;
      entry.host.clock.note(t[i], now);
      entry.host.heardAt = now;
    }
  }

  /**
   * Stores past samples of one host: all of them (grain 0), or a selection with up
   * to `grain` ms between samples.
   */
  applyPast(host: HostModel, range: HistoryRange, grain: number, span: number): void {
    const { t, s, v } = range;
    const declared = new Map((range.series ?? []).map((d) => [d.id, d]));
    for (let i = 0, end = 0; i < s.length; i = end) {
      end = i + 1;
      while (end < s.length && s[end] === s[i]) end++;
      const d = declared.get(s[i]);
      if (d?.host !== host.name) continue; // a pattern may match more than intended
      const { series } = this.declare(d);
      this.trackOf(series, grain, span).merge(t.slice(i, end), v.slice(i, end));
    }
    if (grain > 0 && range.means) this.applyMeans(host, range.means, declared, span);
  }

  /** A column that was requested again may have another mean: the last one counts. */
  private applyMeans(host: HostModel, { t, s, v }: Columns, declared: ReadonlyMap<number, Declared>, span: number): void {
    for (let i = 0; i < s.length; i++) {
      const d = declared.get(s[i]);
      if (d?.host !== host.name) continue;
      const { series } = this.declare(d);
      series.means ??= new Track(this.budget, span);
      series.means.push(t[i], v[i]);
    }
  }

  private trackOf(series: Series, grain: number, span: number): Track {
    if (grain === 0) return series.track;
    series.past ??= new Track(this.budget, span);
    series.past.grain = grain;
    return series.past;
  }

  /** Forgets the thinned samples of a host. */
  dropPast(host: HostModel): void {
    for (const series of host.byId.values()) {
      series.past?.release();
      series.means?.release();
      series.past = series.means = null;
    }
  }

  /** Drops lines that have been silent for longer than the shown time, now and in every sweep. */
  keepFor(ms: number): void {
    this.keep = Math.max(horizon, ms);
    this.sweep();
  }

  /** Drops lines that have been silent for the whole horizon, except those of a host that is gone. */
  sweep(): void {
    const now = this.now();
    for (const host of [...this.byName.values()]) {
      const oldest = now - host.clock.offset - this.keep;
      if (!host.listed && host.newest < oldest) this.forget(host.name);
      if (host.gone) continue;
      for (const chart of host.charts.value) this.sweepChart(host, chart, oldest);
    }
  }

  private sweepChart(host: HostModel, chart: Chart, oldest: number): void {
    const stay = chart.series.filter((s) => lastTime(s) >= oldest);
    if (stay.length === chart.series.length) return;
    for (const series of chart.series) if (!stay.includes(series)) drop(host, series);
    chart.series = stay;
    chart.revision.value++;
    if (stay.length === 0) host.charts.value = host.charts.value.filter((c) => c !== chart);
  }

  private tellClock(host: HostModel): void {
    host.clock.tell(host.info.peek()?.skew_ms ?? 0, this.browserLessMaster);
  }

  private host(name: string): HostModel {
    let host = this.byName.get(name);
    if (!host) {
      host = new HostModel(name);
      this.byName.set(name, host);
      this.tellClock(host);
      const known = this.hosts.peek();
      const place = placeOf(name, known);
      this.hosts.value = [...known.slice(0, place), host, ...known.slice(place)];
    }
    return host;
  }

  private forget(name: string): void {
    const host = this.byName.get(name);
    if (!host) return;
    for (const series of host.byId.values()) drop(host, series);
    this.byName.delete(name);
    this.hosts.value = this.hosts.value.filter((h) => h !== host);
  }

  private declare(declared: Declared): Entry {
    const host = this.host(declared.host);
    const labels = declared.labels ?? {};
    const id = declared.key + labelText(labels);
    let series = host.byId.get(id);
    if (!series) {
      series = this.newSeries(id, declared, labels);
      host.put(series);
      this.place(host, series, declared.kind);
    }
    return { host, series, declared };
  }

  /**
   * Like declare, for a live series, whose reporter knows its kind. A history that
   * has not heard it since the master started judges by its name.
   */
  private declareLive(declared: Declared): Entry {
    const entry = this.declare(declared);
    const { host, series } = entry;
    if (series.kind === declared.kind) return entry;
    this.takeOut(host, series);
    const anew = this.newSeries(series.id, declared, series.labels, series.track);
    anew.past = series.past;
    anew.means = series.means;
    host.put(anew);
    this.place(host, anew, declared.kind);
    return { ...entry, series: anew };
  }

  private takeOut(host: HostModel, series: Series): void {
    const chart = host.charts.peek().find((c) => c.series.includes(series));
    if (!chart) return;
    chart.series = chart.series.filter((s) => s !== series);
    chart.revision.value++;
    if (chart.series.length === 0) host.charts.value = host.charts.peek().filter((c) => c !== chart);
  }

  private newSeries(
    id: string,
    declared: Declared,
    labels: Record<string, string>,
    track = new Track(this.budget, horizon),
  ): Series {
    const [name, ...rest] = declared.key.split('/');
    const item = rest.join('/');
    const meaning = meaningOf(item || name, declared.kind);
    return {
      id,
      key: declared.key,
      item,
      labels,
      words: item === '' ? '' : meaning.name.replaceAll('_', ' ').trim(),
      values: Object.keys(labels)
        .sort()
        .map((n) => labels[n])
        .join(' '),
      kind: declared.kind,
      rate: meaning.rate,
      track,
      past: null,
      means: null,
      dropped: false,
    };
  }

  /** Puts a new line into its chart, which may be new too. */
  private place(host: HostModel, series: Series, kind: string | undefined): void {
    const name = series.key.split('/', 1)[0];
    const { unit } = meaningOf(series.item || name, kind);
    const id = `${name}|${unit}`;
    let chart = host.charts.peek().find((c) => c.id === id);
    if (!chart) {
      chart = { id, host, name, unit, series: [], revision: signal(0) };
      host.charts.value = [...host.charts.peek(), chart].sort(compareCharts);
    }
    chart.series.push(series);
    chart.series.sort(compareSeries);
    chart.revision.value++;
  }
}

/** The data of a host about which the master has said nothing yet. */
const unknown: Omit<Host, 'host'> = {
  state: 'gone',
  since_ms: 0,
  last_seen_ms: 0,
  skew_ms: 0,
  series: 0,
  samples: 0,
};

interface Entry {
  host: HostModel;
  series: Series;
  declared: Declared;
}

/** The time of the newest known sample. */
function lastTime(series: Series): number {
  return Math.max(series.track.lastTime, series.past?.lastTime ?? -Infinity);
}

/** Its number stays declared: a later sample creates the line again. */
function drop(host: HostModel, series: Series): void {
  series.dropped = true;
  series.track.release();
  series.past?.release();
  series.means?.release();
  series.past = series.means = null;
  host.take(series.id);
}

/** Values of use come first, because most people look for them. */
function compareSeries(a: Series, b: Series): number {
  const rank = (s: Series): number => (/^used(_|$)/.test(s.item) ? 0 : 1);
  return rank(a) - rank(b) || compareNames(a.id, b.id);
}

const unitOrder = Object.keys(unitNames);

function compareCharts(a: Chart, b: Chart): number {
  return (
    tier(a) - tier(b) ||
    rank(a.name) - rank(b.name) ||
    compareNames(a.name, b.name) ||
    unitOrder.indexOf(a.unit) - unitOrder.indexOf(b.unit)
  );
}

function tier(chart: Chart): number {
  if (chart.name === selfChart) return 2;
  return order.includes(chart.name) && !primary.has(chart.id) ? 1 : 0;
}

function rank(name: string): number {
  const at = order.indexOf(name);
  return at < 0 ? order.length : at;
}

/** The inspector of a key: the one with the longest name that the key begins with. */
export function inspectorOf(host: HostModel, key: string): InspectorStatus | undefined {
  const all = host.info.value?.inspectors ?? [];
  return all
    .filter((i) => key === i.name || key.startsWith(`${i.name}/`))
    .sort((a, b) => b.name.length - a.name.length)[0];
}

/** A boosted inspector has no pauses before and after the boost. */
function keepSteps(host: HostModel): void {
  for (const { key, track } of host.byId.values()) {
    const inspector = inspectorOf(host, key);
    if (inspector?.boosted_ms) track.own = inspector.interval_ms;
  }
}

/** {mount="/",device="sda"}, or nothing if there are no labels. */
export function labelText(labels: Record<string, string>): string {
  const names = Object.keys(labels).sort();
  if (names.length === 0) return '';
  return `{${names.map((n) => `${n}=${JSON.stringify(labels[n])}`).join(',')}}`;
}

/**
 * The names of a chart's lines in its legend. Words that all of them share are in
 * its title, which is the second result.
 */
export function lineNames(chart: Chart): { names: Map<Series, string>; shared: string } {
  const { series } = chart;
  const [first] = series;
  const same = series.length > 1 && series.every((s) => s.words === first.words && s.values !== '');
  const names = series.map((s): [Series, string] => {
    const name = same ? s.values : [s.words, s.values].filter((w) => w !== '').join(' ');
    return [s, name || chart.name];
  });
  return { names: new Map(names), shared: same ? first.words : '' };
}
