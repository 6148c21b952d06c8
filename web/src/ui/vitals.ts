// The most important values of a host, read from its tracks.

import { latest } from '../charts/frame.ts';
import type { HostModel, Series } from '../data/store.ts';

export type Vital = 'load' | 'cpu' | 'memory' | 'disk' | 'in' | 'out';

interface Source {
  key: string;
  /** The line that counts if there are several, such as one for each mount. */
  of: 'max' | 'sum';
}

const sources: Record<Vital, Source> = {
  load: { key: 'load/average-1', of: 'max' },
  cpu: { key: 'cpu/used_percent', of: 'max' },
  memory: { key: 'memory/used_percent', of: 'max' },
  disk: { key: 'disk/used_percent', of: 'max' },
  in: { key: 'network/receive_bytes_total', of: 'sum' },
  out: { key: 'network/transmit_bytes_total', of: 'sum' },
};

/** Traffic of a host with itself does not count. */
function loopback(series: Series): boolean {
  return series.labels.interface === 'lo';
}

/** The lines of a vital value. */
export function linesOf(host: HostModel, vital: Vital): Series[] {
  const { key } = sources[vital];
  return (host.byKey.get(key) ?? []).filter((s) => !s.dropped && !loopback(s));
}

/** The newest value; NaN where there is none. */
export function valueOf(host: HostModel, vital: Vital): number {
  const all = linesOf(host, vital)
    .map((s) => latest(s).value)
    .filter(Number.isFinite);
  if (all.length === 0) return NaN;
  return sources[vital].of === 'sum' ? all.reduce((a, b) => a + b) : Math.max(...all);
}

const enough = 3_000; // ms over which processors are counted

/**
 * The number of processors of a host; 0 if unknown. In each second each of them
 * spends one second, in one mode or another.
 */
export function coresOf(host: HostModel): number {
  const modes = (host.byKey.get('cpu/seconds_total') ?? []).filter((s) => s.track.length > 1);
  let seconds = 0;
  for (const { track } of modes) {
    const took = track.lastTime - track.times[track.start];
    if (took < enough) return 0;
    seconds += ((track.lastValue - track.values[track.start]) / took) * 1000;
  }
  return Math.max(0, Math.round(seconds));
}
