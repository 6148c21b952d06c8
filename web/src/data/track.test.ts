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

test('merges the past before, between and over what is there', () => {
  const t = new Track(new Budget(1e6), horizon);
  for (const s of [50, 52, 54]) t.push(s * 1000, s);
  const past = [40, 51, 52, 53, 55].map((s) => s * 1000);
  t.merge(past, past.map((s) => s / 1000));
  t.push(56_000, 56);
  expect(content(t).map(([, v]) => v)).toEqual([40, 50, 51, 52, 53, 54, 55, 56]);
  expect(content(t).every(([time, v]) => time === v * 1000)).toBe(true);
});

test('has what a plain list would have, over merges and pushes', () => {
  const t = new Track(new Budget(1e6), Infinity);
  const all = new Map<number, number>();
  let seed = 3;
  const random = (n: number): number => (seed = (seed * 48271) % 2147483647) % n;
  for (let i = 0; i < 300; i++) {
    const times = Array.from({ length: random(40) }, () => random(5_000)).sort((a, b) => a - b);
    const distinct = times.filter((x, n) => x !== times[n - 1]);
    t.merge(distinct, distinct.map((x) => x * 2));
    for (const x of distinct) all.set(x, x * 2);
    const x = 5_000 + random(500);
    t.push(x, x * 2);
    all.set(x, x * 2);
  }
  expect(content(t)).toEqual([...all].sort((a, b) => a[0] - b[0]));
});

test('keeps the newest of a merge that there is no room for', () => {
  const budget = new Budget(200);
  const t = new Track(budget, Infinity);
  const many = Array.from({ length: 1_000 }, (_, i) => i);
  t.merge(many, many);
  expect(budget.used).toBeLessThanOrEqual(200);
  expect(t.length).toBe(t.times.length);
  expect([t.lastTime, t.times[t.start]]).toEqual([999, 1_000 - t.length]);
  t.push(1_000, 1_000);
  expect(t.lastTime).toBe(1_000);
});

test('merges no more than its horizon', () => {
  const t = new Track(new Budget(1e6), horizon);
  const long = Array.from({ length: 200 }, (_, i) => i * 1_000);
  t.merge(long, long);
  expect(t.times[t.start]).toBe(199_000 - horizon);
  t.merge([], []);
  expect(t.lastTime).toBe(199_000);
});

test('the step is that of the last samples, whatever came, late or at once, and in which order', () => {
  for (let run = 0; run < 200; run++) {
    const track = new Track(new Budget(1e6), 1e5);
    for (let i = 0; i < 60; i++) {
      const time = Math.floor(Math.random() * 5000) + 100 * i;
      if (Math.random() < 0.1) track.merge([time, time + 7], [1, 1]);
      else track.push(time, i);
      const times = Array.from(track.times.subarray(track.start, track.end)).slice(-16);
      const steps = times.slice(1).map((t, k) => t - times[k]).sort((a, b) => a - b);
      expect(track.step()).toBe(steps.length === 0 ? 0 : steps[steps.length >> 1]);
    }
  }
});
