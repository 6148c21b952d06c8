import { describe, expect, test } from 'vitest';
import { itemsOf, labelsOf, visible, type Row, type Wish } from './table.ts';

interface Valued extends Row {
  cpu: number;
}
const row = (name: string, cpu: number, labels: Record<string, string> = {}): Valued => ({ name, state: 'up', cpu, labels, text: name });
const rows = [row('web-10', 5, { role: 'web' }), row('web-2', NaN, { role: 'web' }), row('db-1', 90, { role: 'db' }), row('x', 5)];
const names = (wish: Partial<Wish<Valued>>): string[] =>
  itemsOf(rows, { query: '', by: null, down: false, group: '', ...wish }).map((i) => ('row' in i ? i.row.name : `${i.group}: ${i.count}`));

describe('rows', () => {
  test('stand by name as people read names', () => {
    expect(names({})).toEqual(['db-1', 'web-2', 'web-10', 'x']);
    expect(names({ down: true })).toEqual(['x', 'web-10', 'web-2', 'db-1']);
  });
  test('stand by value, those without one last both ways', () => {
    const by = (r: Valued): number => r.cpu;
    expect(names({ by })).toEqual(['web-10', 'x', 'db-1', 'web-2']);
    expect(names({ by, down: true })).toEqual(['db-1', 'web-10', 'x', 'web-2']);
  });
  test('stand in groups of a label, those without it last', () => {
    expect(names({ group: 'role' })).toEqual(['db: 1', 'db-1', 'web: 2', 'web-2', 'web-10', ': 1', 'x']);
  });
  test('are those that the filter lets through', () => {
    expect(names({ query: 'role=web' })).toEqual(['web-2', 'web-10']);
  });
});

test('no row is lost or shown twice, however it is asked for', () => {
  for (let i = 0; i < 200; i++) {
    const many = Array.from({ length: 300 }, (_, n) => row(`h${n}`, Math.random() < 0.2 ? NaN : Math.floor(Math.random() * 5), n % 3 ? { role: `r${n % 5}` } : {}));
    const items = itemsOf(many, { query: '', by: i % 2 ? (r) => r.cpu : null, down: i % 4 > 1, group: i % 3 ? 'role' : '' });
    const shown = items.flatMap((x) => ('row' in x ? x.row.name : []));
    expect(new Set(shown).size).toBe(300);
    expect(shown.length).toBe(300);
    const counted = items.flatMap((x) => ('group' in x ? x.count : []));
    if (i % 3) expect(counted.reduce((a, b) => a + b)).toBe(300);
  }
});

test('what is on the screen is always among what is made', () => {
  for (let i = 0; i < 1000; i++) {
    const count = Math.floor(Math.random() * 10_000);
    const top = Math.random() * count * 34 * 1.2;
    const bottom = top + 800;
    const [from, to] = visible(count, 34, top, bottom);
    expect(from).toBeGreaterThanOrEqual(0);
    expect(to).toBeLessThanOrEqual(count);
    expect(to - from).toBeLessThan(800 / 34 + 20);
    for (let n = Math.ceil(top / 34); n < Math.min(count, Math.floor(bottom / 34)); n++) expect(n >= from && n < to).toBe(true);
  }
});

test('labels and their values, in order', () => {
  expect([...labelsOf(rows)]).toEqual([['role', ['db', 'web']]]);
});
