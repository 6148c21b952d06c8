import { expect, test } from 'vitest';
import { Budget, Track, longest } from './track.ts';

const horizon = 60_000;
const content = (t: Track): [number, number][] =>
  Array.from(t.times.subarray(t.start, t.end), (time, i) => [time, t.values[t.start + i]]);

test('keeps samples in order of time, whatever order they come in', () => {
  const t = new Track(new Budget(1e6), horizon);
  for (const [time, value] of [[1000, 1], [3000, 3], [2000, 2], [500, 0], [3000, 33]]) t.push(time, value);
  expect(content(t)).toEqual([[500, 0], [1000, 1], [2000, 2], [3000, 33]]);
  expect([t.lastTime, t.lastValue]).toEqual([3000, 33]);
});

test('has what a plain list would have, over growth and moves', () => {
  const t = new Track(new Budget(1e6), horizon);
  const all: [number, number][] = [];
  let seed = 1;
  const random = (n: number): number => (seed = (seed * 48271) % 2147483647) % n;
  for (let i = 0; i < 5_000; i++) {
    const time = i * 100 - (random(10) === 0 ? random(3_000) : 0);
    t.push(time, i);
    const at = all.findIndex(([x]) => x === time);
    if (at >= 0) all[at][1] = i;
    else all.push([time, i]);
  }
  all.sort((a, b) => a[0] - b[0]);
  const wanted = all.filter(([x]) => x >= 5_000 * 100 - horizon);
  expect(content(t).slice(-wanted.length)).toEqual(wanted);
});

test('drops what is older than the horizon before it grows', () => {
  const budget = new Budget(1e6);
  const t = new Track(budget, horizon);
  for (let i = 0; i < 10_000; i++) t.push(i * 1000, i);
  expect(t.length).toBeGreaterThanOrEqual(60);
  expect(t.times.length).toBeLessThanOrEqual(128);
  expect(budget.used).toBe(t.times.length);
});

test('stays within its bound and the budget', () => {
  const budget = new Budget(1_000);
  const tight = new Track(budget, Infinity);
  for (let i = 0; i < 10_000; i++) tight.push(i, i);
  expect(budget.used).toBeLessThanOrEqual(1_000);
  expect(tight.lastValue).toBe(9_999);
  const large = new Track(new Budget(1e9), Infinity);
  for (let i = 0; i < 100_000; i++) large.push(i, i);
  expect(large.times.length).toBe(longest);
  expect(content(large).at(-1)).toEqual([99_999, 99_999]);
});

test('gives its room back', () => {
  const budget = new Budget(1_000);
  new Track(budget, horizon).release();
  expect(budget.used).toBe(0);
});

test('finds the usual step among a few odd ones', () => {
  const t = new Track(new Budget(1e6), horizon);
  expect(t.step()).toBe(0);
  for (const time of [0, 1000, 2000, 2100, 9000, 10000, 11000]) t.push(time, 0);
  expect(t.step()).toBe(1000);
});
