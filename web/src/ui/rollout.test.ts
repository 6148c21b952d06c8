import { expect, test } from 'vitest';
import type { Receipt, Rollout, RolloutStage } from '../data/catalog.ts';
import { having, rolloutTitle, stageState, summaryText, worstFirst } from './rollout.tsx';

const summary = { hosts: 3, healthy: 1, failed: 1, refused: 0, pending: 1 };
const stage = (more: Partial<RolloutStage> = {}): RolloutStage => ({ hosts: [], summary, ...more });

test('a stage says how far it is', () => {
  const at = (state: Rollout['state'], i: number, s: Partial<RolloutStage>): string => stageState({ state, stage: 1 }, i, stage(s));
  expect(at('running', 0, { started_ms: 1, done_ms: 2 })).toBe('done');
  expect(at('running', 1, { started_ms: 1 })).toBe('going on');
  expect(at('running', 1, { started_ms: 1, healthy_ms: 2 })).toBe('baking');
  expect(at('paused', 1, { started_ms: 1 })).toBe('paused');
  expect(at('rolled back', 1, { started_ms: 1 })).toBe('rolled back');
  expect(at('running', 2, {})).toBe('not yet');
  expect(at('rolled back', 2, {})).toBe('not reached');
});

test('counts that are none are left out', () => {
  expect(summaryText(summary)).toBe('1 of 3 healthy, 1 failed, 1 pending');
  expect(summaryText({ hosts: 2, healthy: 2, failed: 0, refused: 0, pending: 0 })).toBe('2 of 2 healthy');
});

test('receipts: the worst first, and a filter', () => {
  const receipt = (host: string, state: string, reason = ''): Receipt => ({ host, host_state: 'up', inspector: 'x', revision: 'r', state, reason, at_ms: 0 });
  const list = worstFirst([receipt('a', 'healthy'), receipt('b', 'pending'), receipt('c', 'failed', 'No device'), receipt('d', 'refused')]);
  expect(list.map((r) => r.host)).toEqual(['c', 'd', 'b', 'a']);
  expect(having(list, 'device FAILED').map((r) => r.host)).toEqual(['c']);
  expect(having(list, '').length).toBe(4);
});

test('what a rollout is about, in words', () => {
  const title = (r: Partial<Rollout>): string => rolloutTitle({ inspector: 'disk', action: 'push', from: '', to: '', ...r } as Rollout);
  expect(title({ to: 'a'.repeat(64) })).toBe('disk aaaaaaaa is new');
  expect(title({ from: 'a'.repeat(64), to: 'b'.repeat(64) })).toBe('disk goes from aaaaaaaa to bbbbbbbb');
  expect(title({ from: 'a'.repeat(64), to: 'a'.repeat(64) })).toBe('disk aaaaaaaa goes to other hosts');
  expect(title({ action: 'delete', from: 'a'.repeat(64) })).toBe('disk is taken off its hosts');
});
