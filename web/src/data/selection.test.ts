import { expect, test } from 'vitest';
import { fits, parseQuery } from './query.ts';
import { chosenAfter, chosenFrom, selectorOf } from './selection.ts';

test('what is chosen comes back from the address', () => {
  let text = '';
  const want = new Set<string>();
  let state = 9;
  const random = (n: number): number => (state = (state * 16807) % 2147483647) % n;
  for (let i = 0; i < 300; i++) {
    const name = `h-${random(20)}.x`;
    const on = random(3) > 0;
    text = chosenAfter(text, name, on);
    if (on) want.add(name);
    else want.delete(name);
    expect(chosenFrom(text)).toEqual(want);
  }
});

test('a selector selects the chosen and no others', () => {
  for (const list of [['a'], ['a', 'b-1.x']]) {
    const terms = parseQuery(selectorOf(list));
    for (const host of ['a', 'b-1.x', 'ab', 'c']) expect(fits(terms, { labels: { host }, text: '' })).toBe(list.includes(host));
  }
});
