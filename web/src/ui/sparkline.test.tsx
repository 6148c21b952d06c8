import { signal } from '@preact/signals';
import { render } from 'preact';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Budget, Track } from '../data/track.ts';
import type { Series } from '../data/store.ts';
import { pathOf, Sparkline } from './sparkline.tsx';

beforeEach(() => vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => vi.useRealTimers());

test('a line stands where the clock of its host is told to be, also when that is known only later', async () => {
  const track = new Track(new Budget(1e6), 1e9);
  // Its clock is a minute slow: these are of the last ten seconds.
  for (let t = 930_000; t <= 940_000; t += 1000) track.push(t, 5);
  const second = signal(0);
  const clock = { offset: 0 };
  const root = document.createElement('div');
  document.body.append(root);
  render(<Sparkline lines={[{ rate: false, track } as Series]} most={10} second={second} clock={clock} />, root);
  const drawn = (): string => root.querySelector('path')!.getAttribute('d') ?? '';
  // Effects of the component run after a frame, and it draws once it has stayed.
  await vi.waitFor(() => {
    vi.advanceTimersByTime(200);
    expect(drawn()).not.toBe('');
  });
  const begin = (): number => (second.value++, Number(drawn().match(/^M(-?[\d.]+) /)![1]));
  const before = begin();
  clock.offset = 60_000;
  expect(begin() - before).toBeCloseTo(24, 5); // half of the two minutes
});

test('any values are a path within the cell', () => {
  for (let i = 0; i < 200; i++) {
    const track = new Track(new Budget(1e6), 1e9);
    for (let t = 0; t < 120; t++) track.push(t * 1000, (Math.random() - 0.3) * 10 ** (Math.random() * 300));
    const numbers = pathOf([{ rate: false, track } as Series], [0, 100, 1e300][i % 3], 120_000).match(/-?[\d.]+/g)!.map(Number);
    expect(numbers.length).toBeGreaterThan(200);
    expect(numbers.every((n) => n >= -2 && n <= 48)).toBe(true);
  }
});
