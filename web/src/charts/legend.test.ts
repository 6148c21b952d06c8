// @vitest-environment happy-dom
import { expect, test } from 'vitest';
import { Legend, sharedStart } from './legend.ts';

test('names share the words before the first that differs, and each keeps one', () => {
  for (const [names, shared] of [
    [[], ''],
    [['full db-1'], ''],
    [['full db-1', 'full db-10', 'full db-2'], 'full '],
    [['disk full db-1 /', 'disk full db-1 /home', 'disk full db-2 /'], 'disk full '],
    [['full', 'full db-1'], ''],
    [['disk full', 'disk full db-1'], 'disk '],
    [['full db-1', 'full db-1'], 'full '],
    [['fuller', 'full'], ''],
    [['a{l="x y"}', 'a{l="x z"}'], ''],
  ] as [string[], string][]) {
    expect([names, sharedStart(names)]).toEqual([names, shared]);
  }
});

test('a legend leads with what differs, and has the rest for screen readers and as title', () => {
  const legend = new Legend({ toggle: () => {}, expand: () => {} });
  const names = Array.from({ length: 12 }, (_, i) => `full db-${i + 1}`);
  legend.show(names.map((name, slot) => ({ name, full: `disk/full{host="${name}"}`, slot, shown: true })), '', false);
  const spans = [...legend.element.querySelectorAll('.legend span, span')];
  expect(spans.map((s) => s.textContent)).toEqual(names);
  expect(spans.map((s) => s.lastChild!.textContent)).toEqual(names.map((n) => n.slice('full '.length)));
  expect(spans.every((s) => s.firstElementChild!.className === 'unseen')).toBe(true);
  expect(legend.element.querySelector('button')!.title).toBe('full db-1\ndisk/full{host="full db-1"}');
  expect(legend.element.classList.contains('long')).toBe(false);
});

test('a name alone is whole', () => {
  const legend = new Legend({ toggle: () => {}, expand: () => {} });
  legend.show([{ name: 'full db-1', full: 'f', slot: 0, shown: true }], '', false);
  expect(legend.element.querySelector('span')!.innerHTML).toBe('full db-1');
  expect(legend.element.querySelector('button')!.title).toBe('f');
});
