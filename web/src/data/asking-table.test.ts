import { expect, test } from 'vitest';
import type { Answered } from './asking.ts';
import { answersCSV, answersJSON, cellOf, columnsOf, groupsOf } from './asking-table.ts';

const row = (host: string, value: number, labels: Record<string, string> = {}): Answered => ({ host, key: 'probe', labels, value });

test('the table has a column for each label that any row has', () => {
  const rows = [row('b', 2, { version: '3.0.2' }), row('a', 1, { mount: '/', host: 'fake' })];
  expect(columnsOf(rows)).toEqual(['host', 'key', 'mount', 'version', 'value']);
  expect(cellOf(rows[1], 'host')).toBe('a');
  expect(cellOf(rows[1], 'constructor')).toBe('');
  expect(answersCSV(rows, [])).toBe('host,key,mount,version,value\r\nb,probe,,3.0.2,2\r\na,probe,/,,1\r\n');
});

test('groups together have every value and every host, whatever was answered', () => {
  let state = 11;
  const random = (n: number): number => (state = (state * 16807) % 2147483647) % n;
  for (let i = 0; i < 200; i++) {
    const rows = Array.from({ length: random(60) }, () => row(`h${random(9)}`, random(400) / 4 - 50, random(3) > 0 ? { version: ['3.0.2', 'a,b', '"q"', '__proto__'][random(4)] } : {}));
    const groups = groupsOf(rows, ['version']);
    expect(groups.reduce((n, g) => n + g.values, 0)).toBe(rows.length);
    for (const g of groups) {
      const mine = rows.filter((r) => cellOf(r, 'version') === g.by.version);
      expect(g.hosts).toEqual([...new Set(mine.map((r) => r.host))].sort());
      const values = mine.map((r) => r.value);
      expect([g.min, g.max]).toEqual([Math.min(...values), Math.max(...values)]);
      expect(g.mean).toBeCloseTo(values.reduce((a, b) => a + b, 0) / values.length, 6);
    }
    for (let j = 1; j < groups.length; j++) expect(groups[j - 1].hosts.length).toBeGreaterThanOrEqual(groups[j].hosts.length);
    expect(groupsOf(rows, []).length).toBe(rows.length > 0 ? 1 : 0);
  }
});

test('groups come as files too, and hosts that are silent with them', () => {
  const rows = [row('b', 2, { version: '3' }), row('a', 4, { version: '3' })];
  expect(answersCSV(rows, ['version'])).toBe('version,hosts,values,min,mean,max\r\n3,2,2,2,3,4\r\n');
  expect(JSON.parse(answersJSON(rows, ['version'], [{ host: 'c', why: 'it is gone' }]))).toEqual({
    groups: [{ by: { version: '3' }, hosts: 2, names: ['a', 'b'], values: 2, min: 2, mean: 3, max: 4 }],
    silent: [{ host: 'c', why: 'it is gone' }],
  });
  expect(JSON.parse(answersJSON(rows, [], [])).rows).toEqual(rows);
});
