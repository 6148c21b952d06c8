import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { grainOf, shifted, TimeShown, windows, zoomed } from './time.ts';

const now = 1_800_000_000_000;
const range = { from: now - 600_000, to: now - 300_000 };

test('a range has about as many points as there are pixels, whatever its length', () => {
  for (let i = 0; i < 1000; i++) {
    const span = 2_000 + Math.random() * 30 * 86_400_000;
    const points = span / grainOf(span);
    expect(points).toBeLessThanOrEqual(400);
    if (span > 400_000) expect(points).toBeGreaterThan(100);
  }
});

test('zooming out keeps the middle, and ends now at the latest', () => {
  expect(zoomed(range, 2, now)).toEqual({ from: now - 750_000, to: now - 150_000 });
  expect(zoomed({ from: now - 60_000, to: now }, 2, now)).toEqual({ from: now - 120_000, to: now });
});

test('moving keeps the length, and ends now at the latest', () => {
  expect(shifted(range, -0.5, now)).toEqual({ from: now - 750_000, to: now - 450_000 });
  expect(shifted(range, 5, now)).toEqual({ from: now - 300_000, to: now });
});

describe('the address', () => {
  let time: TimeShown;
  beforeEach(() => {
    localStorage.clear();
    history.replaceState(null, '', '/hosts?q=x');
    time = new TimeShown(() => now);
    time.start();
  });
  afterEach(() => time.stop());

  test('says nothing before somebody chose', () => {
    expect(location.search).toBe('?q=x');
    expect(time.span).toBe(120_000);
  });
  test('says when it was paused, and shows the same to somebody else', () => {
    time.pausedAt.value = now - 5_000;
    expect(location.search).toBe('?q=x&window=2m&at=2027-01-15T07:59:55Z');
    expect(new TimeShown(() => now + 60_000).shown).toEqual({ from: now - 125_000, to: now - 5_000 });
    time.pausedAt.value = null;
    expect(location.search).toBe('?q=x&window=2m');
  });
  test('says the window that was chosen, and a range', () => {
    time.live(3_600_000);
    expect(location.search).toBe('?q=x&window=1h');
    time.show(now - 60_000, now - 30_000);
    expect(location.search).toBe('?q=x&from=2027-01-15T07:59:00Z&to=2027-01-15T07:59:30Z');
    expect([time.span, time.grain]).toEqual([30_000, 1_000]);
    const other = new TimeShown(() => now);
    expect(other.shown).toEqual(time.shown);
    time.live();
    expect(location.search).toBe('?q=x&window=1h');
  });
  test('too short a drag shows nothing else, and its way may be from right to left', () => {
    time.show(now, now + 10);
    expect(time.range.value).toBeNull();
    time.show(now - 10_000, now - 50_000);
    expect(time.range.value).toEqual({ from: now - 50_000, to: now - 10_000 });
  });
  test('a pause ends where a range begins', () => {
    time.pausedAt.value = now - 5_000;
    expect(time.shown.to).toBe(now - 5_000);
    time.zoomOut();
    expect(time.pausedAt.value).toBeNull();
    expect(time.range.value).toEqual({ from: now - 240_000, to: now });
  });
});

test('each window of the bar can be said in an address', () => {
  for (const { ms } of windows) {
    history.replaceState(null, '', '/');
    const time = new TimeShown();
    time.start();
    time.live(ms);
    expect(new TimeShown().window.value).toBe(ms);
    time.stop();
  }
});
