import { describe, expect, test } from 'vitest';
import { duration, format, increments, meaningOf, tick, type Unit } from './units.ts';

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

test.each<Unit>(['', 'percent', 'bytes', 'seconds', '/s'])('steps of %s grow', (unit) => {
  const steps = increments(unit);
  expect(steps.every((s, i) => i === 0 || s > steps[i - 1])).toBe(true);
});
