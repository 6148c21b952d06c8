import { expect, test, vi } from 'vitest';
import { signal } from '@preact/signals';
import { Boosts } from './boosts.ts';
import type { LinkState } from '../lib/rpc.ts';

/** A master that notes calls and answers when it is told to. */
function fakeMaster() {
  const calls: string[] = [];
  const answers: ((error?: Error) => void)[] = [];
  const call = <T>(method: string, params: object): Promise<T> => {
    const { host, inspector } = params as { host: string; inspector: string };
    calls.push(`${method} ${host} ${inspector}`);
    return new Promise<T>((resolve, reject) => answers.push((e) => (e ? reject(e) : resolve({} as T))));
  };
  const answer = async (error?: Error): Promise<void> => {
    answers.splice(0).forEach((a) => a(error));
    await settled();
  };
  return { calls, answer, call, boosts: new Boosts({ call }) };
}

const settled = (): Promise<void> => new Promise((done) => setTimeout(done, 0));
const never = (why: string): void => expect.unreachable(why);
const start = 'boosts.start h load';
const stop = 'boosts.stop h load';

test('a boost lasts while somebody wants it', async () => {
  const { calls, answer, boosts } = fakeMaster();
  boosts.linked(true);
  const first = boosts.want('h', 'load', never);
  const second = boosts.want('h', 'load', never);
  await settled();
  await answer();
  first();
  first();
  await settled();
  expect(calls).toEqual([start]);
  second();
  await settled();
  expect(calls).toEqual([start, stop]);
});

test('it begins with each connection, and ends while the page is hidden', async () => {
  const { calls, answer, boosts } = fakeMaster();
  const release = boosts.want('h', 'load', never);
  await settled();
  expect(calls).toEqual([]);
  boosts.linked(true);
  await settled();
  boosts.linked(false);
  await answer(new Error('the link went down')); // nobody is told
  boosts.linked(true);
  await settled();
  expect(calls).toEqual([start, start]);
  await answer();
  boosts.shown(false);
  await settled();
  await answer();
  boosts.shown(true);
  await settled();
  expect(calls).toEqual([start, start, stop, start]);
  boosts.shown(false);
  release();
  boosts.shown(true);
  await settled();
  await answer();
  await answer();
  expect(calls).toEqual([start, start, stop, start, stop]);
});

test('who presses twice quickly is answered in order', async () => {
  const { calls, answer, boosts } = fakeMaster();
  boosts.linked(true);
  boosts.want('h', 'load', never)();
  boosts.want('h', 'load', never);
  await settled();
  expect(calls).toEqual([start]);
  await answer();
  expect(calls).toEqual([start, stop]);
  await answer();
  expect(calls).toEqual([start, stop, start]);
});

test('a refusal is told to all who want it', async () => {
  const { answer, boosts } = fakeMaster();
  boosts.linked(true);
  const told = vi.fn();
  const releases = [boosts.want('h', 'load', told), boosts.want('h', 'load', told)];
  await settled();
  await answer(new Error('not here'));
  expect(told.mock.calls).toEqual([['not here'], ['not here']]);
  releases.forEach((release) => release());
});

test('boosts follow their session until they are stopped', async () => {
  const { calls, answer, call } = fakeMaster();
  const link = signal({ kind: 'connecting' } as LinkState);
  const [seen, operator] = [signal(true), signal(false)];
  const boosts = Boosts.of({ rpc: { call } as never, link, seen, may: () => operator.value });
  expect(boosts.allowed.value).toBe(false);
  operator.value = true;
  expect(boosts.allowed.value).toBe(true);
  boosts.want('h', 'load', never);
  await settled();
  expect(calls).toEqual([]);
  link.value = { kind: 'live' } as LinkState;
  await settled();
  await answer();
  seen.value = false;
  await settled();
  await answer();
  expect(calls).toEqual([start, stop]);
  boosts.stop();
  seen.value = true;
  await settled();
  expect(calls).toEqual([start, stop]);
});
