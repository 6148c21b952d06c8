import { describe, expect, test } from 'vitest';
import { duration, format, increments, meaningOf, tick, unitNames, type Unit } from './units.ts';

describe('the unit of a key', () => {
  test.each<[string, string | undefined, Unit, boolean, string]>([
    ['used_percent', undefined, 'percent', false, 'used'],
    ['percent-free', undefined, 'percent', false, 'percent-free'],
    ['used_bytes', 'gauge', 'bytes', false, 'used'],
    ['receive_bytes_total', 'counter', 'bytes/s', true, 'receive'],
    ['receive_bytes_total', undefined, 'bytes/s', true, 'receive'],
    ['io_seconds_total', 'counter', 'seconds/s', true, 'io'],
    ['reads_total', 'counter', '/s', true, 'reads'],
    ['reads', 'counter', '/s', true, 'reads'],
    ['inspector_duration_seconds', undefined, 'seconds', false, 'inspector_duration'],
    ['seconds', undefined, 'seconds', false, ''],
    ['celsius', undefined, 'celsius', false, ''],
    ['average-1', undefined, '', false, 'average-1'],
    ['running_tasks', undefined, 'count', false, 'running_tasks'],
    ['count', undefined, 'count', false, ''],
    ['total', 'gauge', 'count', false, 'total'],
    ['total', undefined, 'count', false, 'total'],
    ['inspector_success', undefined, '', false, 'inspector_success'],
    ['status', undefined, '', false, 'status'],
    ['bytesized', undefined, '', false, 'bytesized'],
    ['total_bytes', undefined, 'bytes', false, 'total'],
  ])('%s (%s) is %s', (item, kind, unit, rate, name) => {
    expect(meaningOf(item, kind)).toEqual({ unit, rate, name });
  });
});

describe('values', () => {
  test.each<[number, Unit, string]>([
    [0, '', '0'],
    [0.5, '', '0.5'],
    [12.3456, '', '12.3'],
    [999.6, '', '1 k'],
    [1234, '', '1.23 k'],
    [-1234, '', '-1.23 k'],
    [0.00001, '', '1.0e-5'],
    [31, 'percent', '31 %'],
    [99.97, 'percent', '100 %'],
    [1023.9, 'bytes', '1 KiB'],
    [1000, 'bytes', '1000 B'],
    [16 * 2 ** 30, 'bytes', '16 GiB'],
    [1536, 'bytes/s', '1.5 KiB/s'],
    [47.25, 'celsius', '47.3 °C'],
    [12, '/s', '12/s'],
    [0.03, 'seconds/s', '30 ms/s'],
    [0.00025, 'seconds', '250 µs'],
    [1e300, '', '1e300'],
    [-1.7976931348623157e308, 'bytes', '-1.8e308 B'],
    [9007199254740993, '', '9.01 P'],
    [3e18, '', '3e18'],
    [4_200_000, 'percent', '4.2e6 %'],
    [3.1e-10, 'seconds', '0.31 ns'],
    [2.5e-8, 'seconds/s', '25 ns/s'],
    [NaN, 'bytes', '–'],
    [Infinity, '', '–'],
  ])('%d %s reads %s', (value, unit, text) => {
    expect(format(value, unit)).toBe(text);
  });

  test.each([
    [0, '0 s'],
    [0.012, '12 ms'],
    [3.2, '3.2 s'],
    [59.97, '1 min'],
    [65, '1 min 5 s'],
    [3600, '1 h'],
    [3 * 3600 + 4 * 60 + 5, '3 h 4 min'],
    [5 * 86400 + 3 * 3600, '5 d 3 h'],
    [86400 + 59, '1 d'],
    [-90, '-1 min 30 s'],
    [1234.4 * 86400, '1234 d'],
    [-1e300, '-1.2e295 d'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});

test.each<[number, Unit, string]>([
  [5400, 'seconds', '1.5 h'],
  [2 * 86400, 'seconds', '2 d'],
  [90, 'seconds', '1.5 min'],
  [0.5, 'seconds', '500 ms'],
  [1024, 'bytes/s', '1 KiB'],
])('a tick at %d %s says %s', (value, unit, text) => {
  expect(tick(value, unit)).toBe(text);
});

const units = Object.keys(unitNames) as Unit[];

/** Any finite double: each bit pattern is as likely as any other. */
function anyNumber(): number {
  const bits = new DataView(new ArrayBuffer(8));
  for (;;) {
    for (let i = 0; i < 8; i++) bits.setUint8(i, Math.floor(Math.random() * 256));
    if (Number.isFinite(bits.getFloat64(0))) return bits.getFloat64(0);
  }
}

/** Numbers of the sizes that people measure are as likely as all others. */
const number = (): number => (Math.random() < 0.5 ? anyNumber() : (Math.random() - 0.5) * 10 ** (Math.random() * 40 - 20));

test('any value of any unit is a short text that begins as the number does', () => {
  for (let i = 0; i < 600; i++) {
    const value = number();
    for (const unit of units) {
      for (const text of [format(value, unit), tick(value, unit)]) {
        const told = `${value} ${unit} reads ${text}`;
        expect(text.length, told).toBeLessThanOrEqual(16);
        expect(text, told).toMatch(/^-?\d+(\.\d+)?(e-?\d+)?( |\/s|$)/);
        if (value < 0 && Number.parseFloat(text) !== 0) expect(text[0], told).toBe('-');
      }
    }
  }
});

test.each<Unit>(['', 'percent', 'bytes', 'seconds', '/s'])('steps of %s grow', (unit) => {
  const steps = increments(unit);
  expect(steps.every((s, i) => i === 0 || s > steps[i - 1])).toBe(true);
});

test.each<Unit>(['', 'percent', 'bytes', 'seconds', '/s'])('an axis of %s has steps for every span', (unit) => {
  for (let exponent = -8; exponent < 307; exponent++) {
    const span = (1 + 8 * Math.random()) * 10 ** exponent;
    const steps = increments(unit, span);
    expect(steps.every((s, i) => i === 0 || s > steps[i - 1])).toBe(true);
    if (exponent > 1) expect(steps.filter((s) => s > span / 12 && s < span).length, String(span)).toBeGreaterThan(0);
  }
});
