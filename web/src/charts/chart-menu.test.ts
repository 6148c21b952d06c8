import { expect, test } from 'vitest';
import { exploreLink, frameCSV } from './chart-menu.ts';

test('what is opened has the queries, and the time of the page', () => {
  const link = exploreLink(['a{host="x"}', 'rate(b[1m])'], '?q=web&from=2026-11-30T03:00:00Z&to=2026-11-30T04:00:00Z');
  const params = new URL(link, 'http://x').searchParams;
  expect(Object.fromEntries(params)).toEqual({ q: 'a{host="x"}', q2: 'rate(b[1m])', from: '2026-11-30T03:00:00Z', to: '2026-11-30T04:00:00Z' });
});

test('what is drawn comes as comma-separated values, without the gaps', () => {
  const frame = { times: [1, 2, 3], columns: [[1, null, 3], [undefined, null, 0.5]], lonely: [] };
  expect(frameCSV(frame, ['a', 'b,c'])).toBe('time,a,"b,c"\r\n1970-01-01T00:00:01.000Z,1,\r\n1970-01-01T00:00:03.000Z,3,0.5\r\n');
});
