import { signal } from '@preact/signals';
import { render } from 'preact';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Budget, Track } from '../data/track.ts';
import type { Series } from '../data/store.ts';
import { Sparkline } from './sparkline.tsx';

beforeEach(() => vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => vi.useRealTimers());

test('a line stands where the clock of its host is told to be, also when that is known only later', async () => {
  const begins: number[] = [];
  const context = { setTransform: () => {}, clearRect: () => {}, beginPath: () => {}, stroke: () => {}, lineTo: () => {}, moveTo: (x: number) => begins.push(x) };
  HTMLCanvasElement.prototype.getContext = (() => context) as never;
  const track = new Track(new Budget(1e6), 1e9);
  // Its clock is a minute slow: these are of the last ten seconds.
  for (let t = 930_000; t <= 940_000; t += 1000) track.push(t, 5);
  const second = signal(0);
  const clock = { offset: 0 };
  const root = document.createElement('div');
  document.body.append(root);
  render(<Sparkline lines={[{ rate: false, track } as Series]} most={10} second={second} clock={clock} />, root);
  // Effects of the component run after a frame, and it draws once it has stayed.
  await vi.waitFor(() => {
    vi.advanceTimersByTime(200);
    expect(begins.length).toBeGreaterThan(0);
  });
  const drawn = (): number => (second.value++, begins[begins.length - 1]);
  const before = drawn();
  clock.offset = 60_000;
  expect(drawn() - before).toBeCloseTo(24, 5); // half of the two minutes
});
