// Times of day. The locale's own format is not used on charts, because its width varies
// and AM/PM does not fit.

const two = (n: number): string => (n < 10 ? `0${n}` : `${n}`);

/** 12:03:05 */
export function clock(ms: number): string {
  const d = new Date(ms);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** 12:03 */
export function clockShort(ms: number): string {
  return clock(ms).slice(0, 5);
}

/** 12:03, and at midnight the day that begins: 21 Nov. */
export function clockOrDay(ms: number): string {
  const text = clockShort(ms);
  return text === '00:00' ? dayOf(new Date(ms)) : text;
}

/** 12:03 today, 21 Nov 12:03 otherwise. */
export function since(ms: number, now: number): string {
  const d = new Date(ms);
  if (d.toDateString() === new Date(now).toDateString()) return clockShort(ms);
  return `${dayOf(d)} ${clockShort(ms)}`;
}

function dayOf(d: Date): string {
  return `${d.getDate()} ${d.toLocaleString('en', { month: 'short' })}`;
}

/** 2026-11-30 12:03:05, the exact local time. */
export function exact(ms: number): string {
  const d = new Date(ms);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${clock(ms)}`;
}

/** 40 s ago, 3 min ago, 5 h ago, 12 d ago; a time in the future is now. */
export function ago(ms: number, now: number): string {
  const seconds = Math.floor((now - ms) / 1000);
  if (seconds < 5) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}
