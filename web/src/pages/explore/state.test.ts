import { beforeEach, expect, test } from 'vitest';
import { forgetQueries, mostQueries, pastQueries, queriesOf, remember, remembered, withQueries } from './state.ts';

beforeEach(() => localStorage.clear());

test('queries come back from the address as they were', () => {
  const letters = ['a', '{', '"', '&', '=', '+', ' ', '%', '\n', 'ü', '#', '?'];
  let state = 3;
  const random = (n: number): number => (state = (state * 16807) % 2147483647) % n;
  for (let i = 0; i < 200; i++) {
    const queries = Array.from({ length: random(mostQueries + 1) }, () => `x${Array.from({ length: random(12) }, () => letters[random(letters.length)]).join('')}y`);
    const params = new URLSearchParams('from=1&q=old&q8=old');
    for (const [name, value] of Object.entries(withQueries(queries))) {
      if (value === '') params.delete(name);
      else params.set(name, value);
    }
    expect(queriesOf(`?${params}`)).toEqual(queries);
    expect(params.get('from')).toBe('1');
  }
  expect(queriesOf('?q2=b&q=')).toEqual(['b']);
});

test('what was asked last is remembered first, each once', () => {
  expect(remembered(['a', 'b'], ['b ', '', 'c'])).toEqual(['b', 'c', 'a']);
  expect(remembered(Array.from({ length: 90 }, (_, i) => `${i}`), ['x']).length).toBe(50);
  remember(['up']);
  remember(['load_average_1', 'up']);
  expect(pastQueries()).toEqual(['load_average_1', 'up']);
  forgetQueries();
  expect(pastQueries()).toEqual([]);
  localStorage.setItem('vedette.queries', '{"a":1}');
  expect(pastQueries()).toEqual([]);
});
