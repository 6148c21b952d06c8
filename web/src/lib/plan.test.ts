import { expect, test } from 'vitest';
import { parseDuration, parseStages, planText, stageName } from './plan.ts';

test('stages', () => {
  expect(parseStages('1, 10%,100%')).toEqual([{ hosts: 1 }, { percent: 10 }, { percent: 100 }]);
  expect(parseStages('')).toEqual([]);
  for (const bad of ['x', '0', '1.5', '120%', '-1', '10%%', '1;2']) expect(() => parseStages(bad), bad).toThrow(/“/);
});

test('lengths of time', () => {
  expect([parseDuration('30s'), parseDuration('1m30s'), parseDuration(' 2 h '), parseDuration('250ms'), parseDuration('')]).toEqual([
    30_000, 90_000, 7_200_000, 250, 0,
  ]);
  for (const bad of ['30', 's', '5 parsecs', '1d']) expect(() => parseDuration(bad), bad).toThrow(/30s/);
});

test('names', () => {
  expect([stageName({ count: 1 }), stageName({ hosts: 3 }), stageName({ percent: 10 }), stageName({ percent: 100 })]).toEqual([
    '1 host', '3 hosts', '10 % of hosts', 'all hosts',
  ]);
  expect(planText({})).toBe('all at once');
  expect(planText({ stages: [{ hosts: 1 }, { percent: 100 }], bake_ms: 30_000 })).toBe('1 host, then all hosts, each stays well for 30 s');
});
