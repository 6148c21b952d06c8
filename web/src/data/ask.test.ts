import { expect, test, vi } from 'vitest';
import { Ask } from './ask.ts';

test('the last question wins, whatever comes back first', async () => {
  const answers: ((n: number) => void)[] = [];
  const ask = new Ask<number>(() => new Promise((done) => answers.push(done)));
  const first = ask.again();
  const second = ask.again();
  answers[1](2);
  answers[0](1);
  await Promise.all([first, second]);
  expect(ask.data.value).toBe(2);
});

test('an error leaves the last answer, and goes with the next', async () => {
  let fail = false;
  const ask = new Ask<number>(async () => {
    if (fail) throw new Error('away');
    return 1;
  });
  await ask.again();
  fail = true;
  await ask.again();
  expect([ask.data.value, (ask.error.value as Error).message]).toEqual([1, 'away']);
  fail = false;
  await ask.again();
  expect(ask.error.value).toBeNull();
});

test('many changes at once are one question', async () => {
  vi.useFakeTimers();
  let asked = 0;
  const ask = new Ask(async () => ++asked);
  for (let i = 0; i < 50; i++) ask.soon();
  await vi.runAllTimersAsync();
  expect(asked).toBe(1);
  ask.soon();
  ask.stop();
  await vi.runAllTimersAsync();
  expect(asked).toBe(1);
  vi.useRealTimers();
});
