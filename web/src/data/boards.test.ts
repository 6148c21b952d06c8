import { expect, test } from 'vitest';
import { added, chosenOf, columns, exported, filled, fitted, imported, keyed, nameFor, overlap, placed, quotedPattern, ready } from './boards.ts';
import type { BoardPanel } from './wire.gen.ts';

const panel = (x: number, y: number, w: number, h: number): BoardPanel => ({ kind: 'text', title: '', text: 'x', x, y, w, h });

test('whatever is moved, panels lie in the grid and never on each other', () => {
  let state = 17;
  const random = (n: number): number => (state = (state * 16807) % 2147483647) % n;
  for (let i = 0; i < 300; i++) {
    let panels: BoardPanel[] = [];
    for (let n = random(10); n >= 0; n--) panels = added(panels, { kind: ['chart', 'number', 'table', 'text'][random(4)], title: `${n}` });
    for (let n = 0; n < 8; n++) {
      const at = random(panels.length);
      const change = { x: random(16) - 2, y: random(20) - 2, w: random(14), h: random(10) };
      const before = panels.map((p) => p.title);
      panels = placed(panels, at, change);
      expect(panels.map((p) => p.title)).toEqual(before);
      expect(panels[at]).toMatchObject(fitted({ ...change }));
      const outside = panels.filter((p) => p.x < 0 || p.y < 0 || p.w < 1 || p.h < 1 || p.x + p.w > columns);
      const covered = panels.filter((p, a) => panels.some((q, b) => a !== b && overlap(p, q)));
      expect([outside, covered]).toEqual([[], []]);
    }
  }
});

test('a panel that is moved up makes the others give way', () => {
  const panels = placed([panel(0, 0, 6, 4), panel(0, 4, 6, 4)], 1, { y: 0 });
  expect(panels.map((p) => p.y)).toEqual([4, 0]);
  expect(placed([panel(0, 0, 6, 4), panel(6, 0, 6, 4)], 0, { w: 12 }).map((p) => p.y)).toEqual([0, 4]);
});

test('keys move, and with shift make larger', () => {
  const p = panel(2, 3, 4, 5);
  expect(keyed(p, 'ArrowLeft', false)).toEqual({ x: 1 });
  expect(keyed(p, 'ArrowDown', true)).toEqual({ h: 6 });
  expect(keyed(p, 'Enter', false)).toBeNull();
});

test('variables stand in queries as patterns that fit what was chosen alone', () => {
  expect(filled('up{host=~"$host"}', { host: 'web-1.example' })).toBe('up{host=~"web-1\\\\.example"}');
  expect(filled('up{host=~"${host}", zone=~"$zone"}', { host: '', zone: 'a' })).toBe('up{host=~".*", zone=~"a"}');
  expect(filled('x{a=~"$other$"}', { host: 'a' })).toBe('x{a=~"$other$"}');
  expect(filled('x{a=~"$constructor"}', {})).toBe('x{a=~"$constructor"}');
  // Any value stays within its quotes, and fits itself and nothing else.
  const letters = ['a', '"', '\\', '}', '.', '*', '|', '(', '\n', '$', 'é'];
  let state = 5;
  const random = (n: number): number => (state = (state * 16807) % 2147483647) % n;
  for (let i = 0; i < 300; i++) {
    const value = `x${Array.from({ length: random(8) }, () => letters[random(letters.length)]).join('')}`;
    const pattern = JSON.parse(`"${quotedPattern(value)}"`) as string;
    expect(new RegExp(`^(?:${pattern})$`).test(value)).toBe(true);
    expect(new RegExp(`^(?:${pattern})$`).test(`${value}y`)).toBe(false);
  }
});

test('the address wins over the board, and one of many is the first', () => {
  const variables = [{ name: 'host', label: 'host', one: true }, { name: 'zone', label: 'zone', value: 'a' }, { name: 'x', label: 'x' }];
  const none = (): string => '';
  expect(chosenOf(variables, none, { host: ['h1', 'h2'] })).toEqual({ host: 'h1', zone: 'a', x: '' });
  expect(chosenOf(variables, (n) => (n === 'var-host' ? 'h2' : ''), {}).host).toBe('h2');
  expect(ready(variables, chosenOf(variables, none, {}))).toBe(false);
  expect(ready(variables, { host: 'h1', zone: '', x: '' })).toBe(true);
});

test('a board comes back from its file', () => {
  const content = { title: 'Team "A"', variables: [{ name: 'host', label: 'host' }], panels: [panel(0, 0, 6, 4)] };
  expect(imported(exported(content))).toEqual(content);
  expect(() => imported('{')).toThrow('not JSON');
  for (const bad of ['null', '[]', '{"title":"x","panels":[]}', '{"vedette":"board","title":1,"panels":[]}']) expect(() => imported(bad)).toThrow('not a board');
});

test('a title gives a name that nobody has', () => {
  expect(nameFor('Team Ä / 1')).toBe('team-a-1');
  expect(nameFor('!!')).toBe('board');
  expect(nameFor('Fleet', ['fleet', 'fleet-2'])).toBe('fleet-3');
});
