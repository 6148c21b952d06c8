import { expect, test } from 'vitest';
import { keyOf, toldAfter, untold, wordsOf, type Told } from './telling.ts';
import type { Alert } from './wire.gen.ts';

const alert = (id: string, more: Partial<Alert> = {}): Alert => ({ id, name: `n${id}`, labels: null, state: 'firing', since_ms: 1000, ...more });
const ids = (list: Alert[]): string[] => list.map((a) => a.id);

test('what fires is told, and what is pending, unknown, ended or muted is not', () => {
  const muted = { silenced_by: [{ id: 's' }] } as unknown as Partial<Alert>;
  const list = [alert('a'), alert('b', { state: 'pending' }), alert('c', { state: 'ended' }), alert('d', muted), alert('e', { inhibited_by: ['x'] }), alert('f', { state: 'unknown' })];
  expect(ids(untold(list, {}))).toEqual(['a']);
});

test('one that fires again is told again', () => {
  const told = toldAfter([alert('a')], {}, 5, 100);
  expect(untold([alert('a')], told)).toEqual([]);
  expect(ids(untold([alert('a', { since_ms: 2000 })], told))).toEqual(['a']);
});

test('any number of tabs that look at any time tell each firing once, and none is left out', () => {
  for (let run = 0; run < 200; run++) {
    let told: Told = {};
    let list: Alert[] = [];
    const fired = new Set<string>();
    const heard: string[] = [];
    for (let now = 0; now < 300; now++) {
      const id = `${Math.floor(Math.random() * 5)}`;
      const known = list.find((a) => a.id === id);
      if (!known) list = [...list, alert(id, { since_ms: now })];
      else if (Math.random() < 0.5) list = list.filter((a) => a !== known);
      // A tab that has just been opened knows of no alert.
      const seen = Math.random() < 0.2 ? [] : list;
      for (const a of seen) fired.add(keyOf(a));
      heard.push(...untold(seen, told).map(keyOf));
      told = toldAfter(seen, told, now, 50);
    }
    expect(new Set(heard)).toEqual(fired);
    expect(heard.length).toBe(fired.size);
    expect(Object.keys(told).length).toBeLessThan(60);
  }
});

test('one notification for all that is new', () => {
  expect(wordsOf([alert('a/1', { name: 'disk/full', host: 'web-1', summary: '91 % full' })])).toMatchObject({ title: 'disk/full on web-1', body: '91 % full', href: '/alerts?alert=a%2F1' });
  expect(wordsOf([alert('a')]).title).toBe('na');
  const many = Array.from({ length: 7 }, (_, i) => alert(`${i}`, { name: 'disk/full', host: `h${i}` }));
  expect(wordsOf(many)).toMatchObject({ title: 'disk/full: 7 alerts', body: 'h0, h1, h2, h3 and 3 more', href: '/alerts' });
  const kinds = wordsOf([...many, ...['p', 'q', 'r', 's'].map((id) => alert(id))]);
  expect(kinds.title).toBe('11 alerts fire');
  expect(kinds.body.split('\n')).toEqual(['disk/full: h0, h1, h2, h3 and 3 more', 'np: no host', 'nq: no host', 'nr: no host', 'and 1 others']);
  expect(wordsOf([many[1], many[0]]).tag).toBe(wordsOf(many.slice(0, 2)).tag);
});
