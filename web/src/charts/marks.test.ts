import { expect, test } from 'vitest';
import type { Rollout } from '../data/wire.ts';
import { alertMarks, firingQuery, marksFor, revisionMarks } from './marks.ts';

const rollout = (more: Partial<Rollout>): Rollout =>
  ({ id: 'r1', inspector: 'disk', action: 'push', from: '', to: 'abcdef0123456789', from_selector: '', to_selector: 'role=db', state: 'done', author: 'ann', stage: 0, stages: [], started_ms: 1000, plan: {}, ...more }) as Rollout;
const db = { name: 'db-1', labels: { role: 'db' } };

test('a revision is marked on the hosts that it was for, with who and why', () => {
  const [mark, ...rest] = revisionMarks([rollout({ message: 'count inodes' })], db, 500);
  expect(mark).toEqual({ at: 1500, tone: 'plain', text: 'disk abcdef01 pushed by ann: count inodes', href: '/rollouts/r1', inspector: 'disk' });
  expect(rest).toEqual([]);
  expect(revisionMarks([rollout({})], { name: 'web-1', labels: { role: 'web' } }, 0)).toEqual([]);
  expect(revisionMarks([rollout({ to_selector: '*' }), rollout({ to_selector: 'host=db-1' })], db, 0).length).toBe(2);
  // What was taken from a host is a change there too.
  expect(revisionMarks([rollout({ action: 'delete', to: '', to_selector: '', from: 'ab12', from_selector: 'role=db' })], db, 0)[0].text).toBe('disk deleted by ann');
});

test('a revision for all hosts is marked on each, and none is for nobody', () => {
  const marked = (more: Partial<Rollout>): number => revisionMarks([rollout(more)], { name: 'web-1', labels: {} }, 0).length;
  expect(marked({ to_selector: '' })).toBe(1);
  expect(marked({ to: '', to_selector: '', from: 'ab12', from_selector: '' })).toBe(1);
  expect(marked({ to: '', to_selector: '', from: 'ab12', from_selector: 'role=db' })).toBe(0);
});

test('a rollout that was taken back is marked twice', () => {
  const marks = revisionMarks([rollout({ state: 'rolled back', finished_ms: 9000, reason: 'it failed on db-2' })], db, 0);
  expect(marks.map((m) => [m.at, m.tone])).toEqual([[1000, 'plain'], [9000, 'warn']]);
  expect(marks[1].text).toBe('disk abcdef01 was taken back: it failed on db-2');
});

const found = (seconds: number[], metric = {}) => [{ metric: { alertname: 'disk/full', ...metric }, points: seconds.map((t): [number, string] => [t, '1']) }];

test('an alert is marked where it fired and where it ended', () => {
  const marks = alertMarks(found([10, 11, 12, 20, 21]), 0, 60_000, 1000, 0);
  expect(marks.map((m) => [m.at, m.text, m.tone])).toEqual([
    [10_000, 'disk/full fired', 'warn'],
    [13_000, 'disk/full ended', 'good'],
    [20_000, 'disk/full fired', 'warn'],
    [22_000, 'disk/full ended', 'good'],
  ]);
  expect(alertMarks(found([10], { severity: 'critical' }), 0, 60_000, 1000, 0)[0].tone).toBe('bad');
});

test('what fired before, and what goes on, has no such mark', () => {
  expect(alertMarks(found([0, 1, 2, 3]), 0, 3000, 1000, 0)).toEqual([]);
});

test('each time that fires has as many ends as beginnings, or goes beyond what is shown', () => {
  for (let n = 0; n < 300; n++) {
    const step = 1 + Math.floor(Math.random() * 5);
    const on = Array.from({ length: 60 }, () => Math.random() < 0.5);
    const seconds = on.flatMap((fires, i) => (fires ? [i * step] : []));
    const to = 59 * step * 1000;
    const marks = alertMarks(found(seconds), 0, to, step * 1000, 0);
    const begins = on.filter((fires, i) => i > 1 && fires && !on[i - 1]).length;
    const ends = on.filter((fires, i) => i < 58 && fires && !on[i + 1]).length;
    expect(marks.filter((m) => m.text.endsWith('fired')).length).toBe(begins);
    expect(marks.filter((m) => m.text.endsWith('ended')).length).toBe(ends);
  }
});

test('a chart has the marks of its inspectors and those of the host', () => {
  const marks = [...revisionMarks([rollout({}), rollout({ inspector: 'load' })], db, 0), ...alertMarks(found([10]), 0, 60_000, 1000, 0)];
  expect(marksFor(marks, new Set(['load'])).map((m) => m.text.split(' ')[0])).toEqual(['load', 'disk/full', 'disk/full']);
});

test('a name of a host cannot leave its place in the query', () => {
  expect(firingQuery('a"} or vector(1) # ')).toBe('ALERTS{host="a\\"} or vector(1) # ", alertstate="firing"}');
});
