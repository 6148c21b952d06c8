import { render } from 'preact';
import { act } from 'preact/test-utils';
import { expect, test } from 'vitest';
import { TimeShown } from '../charts/time.ts';
import { rangeText, TimeControl } from './time-control.tsx';

test('a range is told with its days where they are others', () => {
  const at = (d: number, h: number, m: number): number => new Date(2026, 10, d, h, m).getTime();
  const now = at(30, 12, 0);
  expect(rangeText(at(30, 3, 10), at(30, 3, 25), now)).toBe('03:10 – 03:25');
  expect(rangeText(at(30, 3, 10), at(30, 3, 12), now)).toBe('03:10:00 – 03:12:00');
  expect(rangeText(at(29, 3, 10), at(29, 3, 25), now)).toBe('11-29 03:10 – 03:25');
  expect(rangeText(at(28, 3, 10), at(29, 3, 25), now)).toBe('11-28 03:10 – 11-29 03:25');
  expect(rangeText(at(29, 3, 10), at(30, 3, 25), now)).toBe('11-29 03:10 – 11-30 03:25');
  const old = new Date(2020, 10, 30, 3, 10).getTime();
  expect(rangeText(old, old + 3_600_000, now)).toBe('2020-11-30 03:10 – 04:10');
  expect(rangeText(old, at(30, 3, 10), now)).toBe('2020-11-30 03:10 – 2026-11-30 03:10');
});

test('the bar chooses a window, moves back, widens, and comes back to now', async () => {
  const time = new TimeShown(() => 1_800_000_000_000);
  const root = document.createElement('div');
  await act(() => render(<TimeControl time={time} />, root));
  const press = (text: string): Promise<void> =>
    act(() => [...root.querySelectorAll('button')].find((b) => b.textContent === text || b.getAttribute('aria-label') === text)!.click());
  await press('5 min');
  expect(time.span).toBe(300_000);
  await press('Earlier');
  expect(time.range.value).toEqual({ from: 1_800_000_000_000 - 450_000, to: 1_800_000_000_000 - 150_000 });
  await press('Zoom out');
  expect(time.span).toBe(600_000);
  await press('Later');
  expect(time.range.value!.to).toBe(1_800_000_000_000);
  await press('Live');
  expect([time.range.value, time.span]).toEqual([null, 300_000]);
  await press('Pause');
  expect(time.pausedAt.value).not.toBeNull();
});
