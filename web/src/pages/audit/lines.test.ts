import { expect, test } from 'vitest';
import { matching, pageOf } from './lines.ts';

test('a line leads to what it is about', () => {
  expect(pageOf({ action: 'catalog.push', subject: 'cpu/steal' })).toBe('/inspectors/cpu/steal');
  expect(pageOf({ action: 'rollouts.abort', subject: '12' })).toBe('/rollouts/12');
  expect(pageOf({ action: 'hosts.label', subject: 'web 1' })).toBe('/hosts/web%201');
  expect(pageOf({ action: 'boards.put', subject: 'a/b' })).toBe('/boards/a%2Fb');
  expect(pageOf({ action: 'trials.start', subject: 'x' })).toBe('');
  expect(pageOf({ action: 'catalog.push', subject: '' })).toBe('');
});

test('a filter takes words of any column', () => {
  const line = (seq: number, extra: object) => ({ seq, at_ms: 1, who: 'anna', role: 'operator', from: '10.0.0.1', action: 'catalog.push', subject: 'disk', outcome: 'ok', ...extra });
  const list = [line(1, {}), line(2, { outcome: 'the entry has changed' }), line(3, { subject: 'cpu', detail: 'message=why' })];
  const found = (q: string) => matching(list, q).map((e) => e.seq);
  expect([found(''), found('failed'), found('ANNA cpu'), found('why'), found('nobody')]).toEqual([[1, 2, 3], [2], [3], [3], []]);
});
