import { expect, test } from 'vitest';
import { HostClock } from './clock.ts';

test('believes the master', () => {
  const c = new HostClock();
  c.tell(-60_000, 200); // the agent is a minute behind, the master 200 ms
  c.note(1_000_000 - 60_200, 1_000_000);
  expect(c.offset).toBe(60_200);
});

test('believes the samples where the master cannot know', () => {
  const c = new HostClock();
  c.tell(0, 0);
  c.note(1_030_000, 1_000_000); // half a minute in the future
  expect(c.offset).toBe(-30_000);
});

test('a late sample among live ones is late, not a clock that is off', () => {
  const c = new HostClock();
  c.tell(0, 0);
  c.note(999_950, 1_000_000);
  c.note(700_000, 1_000_100); // of a backlog
  expect(c.offset).toBe(0);
});

test('follows a clock that was set back', () => {
  const c = new HostClock();
  for (let now = 0; now < 120_000; now += 1_000) c.note(now < 60_000 ? now : now - 50_000, now);
  expect(c.offset).toBe(50_000);
});
