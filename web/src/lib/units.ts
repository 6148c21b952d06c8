// Units: the unit of a key's values, and how people read them.

export type Unit =
  | 'percent'
  | 'bytes'
  | 'bytes/s'
  | 'seconds'
  | 'seconds/s'
  | 'celsius'
  | '/s'
  | 'count'
  | '';

/** The order of the charts with the same name, and their titles. */
export const unitNames: Record<Unit, string> = {
  percent: '%',
  bytes: 'bytes',
  'bytes/s': 'bytes/s',
  seconds: 'duration',
  'seconds/s': 's/s',
  celsius: '°C',
  '/s': 'per second',
  count: 'count',
  '': '',
};

export interface Meaning {
  unit: Unit;
  /** The values only grow; the rate is shown. */
  rate: boolean;
  /** The item without the words of its unit. */
  name: string;
}

/**
 * Things that are counted: a plural, or the word itself. Their sizes differ from
 * those of scores and averages.
 */
const countable = /(^|_)(count|total|[a-z]*[^siu]s)$/;

/** Derives the unit from the last part of a key, in Prometheus' naming. */
export function meaningOf(item: string, kind: string | undefined): Meaning {
  let name = item;
  const cut = (suffix: string): boolean => {
    if (name !== suffix && !name.endsWith('_' + suffix)) return false;
    name = name.slice(0, -suffix.length).replace(/_$/, '');
    return true;
  };
  // A gauge with such a name is a whole number, such as processes/total.
  const total = kind !== 'gauge' && item !== 'total' && cut('total');
  const rate = total || kind === 'counter';
  let unit: Unit = rate ? '/s' : '';
  if (cut('bytes')) unit = rate ? 'bytes/s' : 'bytes';
  else if (cut('seconds')) unit = rate ? 'seconds/s' : 'seconds';
  else if (!rate && cut('percent')) unit = 'percent';
  else if (!rate && cut('celsius')) unit = 'celsius';
  else if (!rate && /(^|[-_])percent([-_]|$)/.test(name)) unit = 'percent';
  else if (!rate && countable.test(name)) unit = 'count';
  if (unit === 'count') cut('count');
  return { unit, rate, name };
}

const binary = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
const thousands = ['', 'k', 'M', 'G', 'T', 'P'];

/** A value with its unit, in about three significant digits. */
export function format(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return '–';
  switch (unit) {
    case 'percent':
      return `${digits(value)} %`;
    case 'bytes':
      return scaled(value, 1024, binary);
    case 'bytes/s':
      return `${scaled(value, 1024, binary)}/s`;
    case 'seconds':
      return duration(value);
    case 'seconds/s':
      return `${scaledDown(value)}s/s`;
    case 'celsius':
      return `${digits(value)} °C`;
    case '/s':
      return `${scaled(value, 1000, thousands)}/s`;
    default:
      return scaled(value, 1000, thousands);
  }
}

/** Three significant digits, or fewer if they would be zeros; 1.23e9 if that is shorter. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && size < 0.001) return value.toExponential(size < 1e-99 ? 0 : 1);
  if (size >= 999_999.5) return value.toExponential(size < 1e100 ? 2 : 1).replace(/\.?0*e\+/, 'e');
  const places = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3;
  const text = value.toFixed(places);
  return /\./.test(text) ? text.replace(/\.?0+$/, '') : text;
}

function scaled(value: number, base: number, names: string[]): string {
  let n = 0;
  let v = value;
  // 999.6 would round to 1000, which needs the next prefix.
  while (Math.abs(v) >= base - 0.5 && n < names.length - 1) {
    v /= base;
    n++;
  }
  if (Math.abs(v) >= base - 0.5) return `${digits(value)} ${names[0]}`.trimEnd(); // too large for the prefixes
  // Between 1000 and 1023 KiB four digits are needed.
  const text = digits(v);
  return names[n] ? `${text} ${names[n]}` : text;
}

/** A value on an axis, with room for one number and one unit. */
export function tick(value: number, unit: Unit): string {
  if (unit !== 'seconds' || Math.abs(value) < 60) return format(value, unit).replace(/\/s$/, '');
  if (Math.abs(value) < 3600) return `${digits(value / 60)} min`;
  if (Math.abs(value) < 86400) return `${digits(value / 3600)} h`;
  return `${digits(value / 86400)} d`;
}

/** Seconds per second are mostly small: 12 ms of work in each second. */
function scaledDown(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0 ';
  if (size < 1e-6) return `${digits(value * 1e9)} n`;
  if (size < 0.001) return `${digits(value * 1e6)} µ`;
  if (size < 1) return `${digits(value * 1e3)} m`;
  return `${digits(value)} `;
}

/** The seconds from which hours and minutes do not matter: a thousand days. */
const manyDays = 1000 * 86400;

/** Seconds as people say them: 250 µs, 3.2 s, 5 min 20 s, 3 h 4 min, 12 d 3 h. */
export function duration(seconds: number): string {
  const size = Math.abs(seconds);
  if (size === 0) return '0 s';
  if (size < 59.95) return `${scaledDown(seconds)}s`;
  if (size >= manyDays) return `${digits(seconds / 86400)} d`;
  const sign = seconds < 0 ? '-' : '';
  const whole = Math.round(size);
  const parts: [number, string][] = [
    [Math.floor(whole / 86400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ];
  const at = parts.findIndex(([n]) => n > 0);
  return (
    sign +
    parts
      .slice(at, at + 2)
      .filter(([n]) => n > 0)
      .map(([n, name]) => `${n} ${name}`)
      .join(' ')
  );
}

/** Possible steps of the ticks of an axis with values of this span. */
export function increments(unit: Unit, span = 0): number[] {
  const steps = usualSteps(unit);
  const greatest = steps[steps.length - 1];
  if (span <= greatest) return steps;
  const base = unit === 'seconds' ? 86400 : 1;
  const exponent = Math.floor(Math.log10(span / base));
  return steps.concat([-2, -1, 0].flatMap((e) => [1, 2, 5].map((n) => base * Number(`${n}e${exponent + e}`))).filter((s) => s > greatest));
}

function usualSteps(unit: Unit): number[] {
  if (unit === 'bytes' || unit === 'bytes/s') {
    const steps: number[] = [];
    for (let power = 1; power < 2 ** 60; power *= 1024) {
      for (const n of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]) steps.push(n * power);
    }
    return steps;
  }
  const steps: number[] = [];
  const most = unit === 'seconds' ? 1 : 1e15;
  for (let exponent = -9; 10 ** exponent <= most; exponent++) {
    for (const n of [1, 2, 5]) steps.push(Number(`${n}e${exponent}`));
    if (unit === 'percent' && exponent === 1) steps.splice(-1, 0, 25);
  }
  if (unit === 'seconds') {
    const minutes = [10, 15, 30, 60, 120, 300, 600, 900, 1800];
    const hours = [1, 2, 3, 6, 12, 24, 48, 120, 240, 480, 960, 2400, 4800, 12000, 24000];
    steps.push(...minutes, ...hours.map((h) => h * 3600));
  }
  return steps;
}

/** The least top of an axis that starts at zero, so that noise does not look like news. */
export function leastTop(unit: Unit): number {
  switch (unit) {
    case 'percent':
      return 10;
    case 'bytes':
    case 'bytes/s':
      return 1024;
    case 'celsius':
      return 50;
    case 'seconds':
    case 'seconds/s':
      return 0.001;
    default:
      return 1;
  }
}
