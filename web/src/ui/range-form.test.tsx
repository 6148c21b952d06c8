import { render } from 'preact';
import { act } from 'preact/test-utils';
import { expect, test } from 'vitest';
import { TimeShown } from '../charts/time.ts';
import { faultOf, RangeForm } from './range-form.tsx';

const now = new Date(2026, 10, 30, 12, 0).getTime();
const day = 86_400_000;

test('a range that cannot be shown says why', () => {
  expect(faultOf(now - day, now, now)).toBe('');
  expect(faultOf(now, now - day, now)).toBe(''); // the wrong way round is meant
  expect(faultOf(now + day, now + 2 * day, now)).toBe('Nothing is measured in the future.');
  expect(faultOf(now - 1000, now, now)).toBe('At least 2 s can be shown.');
  expect(faultOf(now - 800 * day, now, now)).toBe('At most 400 d can be shown, and this is 800 d.');
});

test('any range without a fault is shown', () => {
  const time = new TimeShown(() => now);
  for (let i = 0; i < 500; i++) {
    const [from, to] = [0, 1].map(() => now + Math.round((Math.random() - 0.8) * 10 ** (Math.random() * 12)));
    if (from < 0 || to < 0) continue;
    time.range.value = null;
    time.show(from, to);
    if (faultOf(from, to, now) !== '') continue;
    expect(time.range.value, `${from} to ${to}`).toEqual({ from: Math.min(from, to), to: Math.max(from, to) });
  }
});

test('the form begins with what is shown', async () => {
  const time = new TimeShown(() => now);
  const root = document.createElement('div');
  let done = 0;
  await act(() => render(<RangeForm time={time} done={() => done++} />, root));
  const [from, to] = root.querySelectorAll('input');
  expect([from, to].map((field) => field.value.slice(0, 16))).toEqual(['2026-11-30T11:58', '2026-11-30T12:00']);
  const submit = (): Promise<void> => act(() => void root.querySelector('form')!.dispatchEvent(new SubmitEvent('submit', { cancelable: true })));
  from.value = '2023-01-01T00:00';
  await submit();
  expect([done, root.querySelector('.said')!.textContent]).toEqual([0, expect.stringContaining('At most 400 d')]);
  from.value = '2026-11-30T03:10';
  await submit();
  expect([done, time.range.value!.from]).toEqual([1, new Date(2026, 10, 30, 3, 10).getTime()]);
});
