// The shown time in the address: ?window=15m for the last quarter of an hour, or
// ?from=…&to=… for a range; ?at=… is when it was paused. Pure.

export interface Range {
  /** Milliseconds since the epoch. */
  from: number;
  to: number;
}

const units: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
/** The shortest and the longest that can be shown. */
export const shortest = 2_000;
export const longest = 400 * units.d;

/** The ms of the window in a query; 0 if it has none. */
export function windowOf(query: string): number {
  const match = /^(\d{1,4})([mhd])$/.exec(new URLSearchParams(query).get('window') ?? '');
  return match ? Number(match[1]) * units[match[2]] : 0;
}

/** The range in a query; null if it has none that can be shown. */
export function rangeOf(query: string): Range | null {
  const params = new URLSearchParams(query);
  const from = Date.parse(params.get('from') ?? '');
  const to = Date.parse(params.get('to') ?? '');
  return to - from >= shortest && to - from <= longest && from >= 0 ? { from, to } : null;
}

/** When a query was paused, in the past; null if it was not. */
export function pausedOf(query: string, now: number): number | null {
  const at = Date.parse(new URLSearchParams(query).get('at') ?? '');
  return at > 0 && at <= now && now - at <= longest ? at : null;
}

/** 15m, 6h, 7d. */
export function windowText(ms: number): string {
  const [unit, size] = Object.entries(units)
    .reverse()
    .find(([name, size]) => ms % size === 0 && (name !== 'd' || ms > size))!;
  return `${ms / size}${unit}`;
}

/** A query with a window or a range, the time of the pause, and its other parts. */
export function withTime(query: string, window: number, range: Range | null, pausedAt: number | null = null): string {
  const params = new URLSearchParams(query);
  for (const name of ['from', 'to', 'window', 'at']) params.delete(name);
  if (range) {
    params.set('from', iso(range.from));
    params.set('to', iso(range.to));
  } else if (window > 0) {
    params.set('window', windowText(window));
  }
  if (pausedAt !== null && !range) params.set('at', iso(pausedAt));
  // Colons are allowed in a query, and easier to read.
  const text = params.toString().replace(/%3A/g, ':');
  return text ? `?${text}` : '';
}

function iso(ms: number): string {
  return new Date(Math.round(ms)).toISOString().replace('.000Z', 'Z');
}
