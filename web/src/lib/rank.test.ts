import { expect, test } from 'vitest';
import { best, score } from './rank.ts';

const names = ['web-1', 'web-10', 'db-1', 'old-web', 'cobweb', 'Hosts', 'cpu/steal'];
const find = (typed: string): string[] => best(names, (n) => n, typed, 10);

test('what begins so comes first, then words, then letters in their order', () => {
  expect(find('web')).toEqual(['web-1', 'web-10', 'old-web', 'cobweb']);
  expect(find('wb1')).toEqual(['web-1', 'web-10']);
  expect(find('steal cpu')).toEqual(['cpu/steal']);
  expect(find('HOSTS')).toEqual(['Hosts']);
  expect(find('xyz')).toEqual([]);
});

test('nothing typed is everything, as it stands', () => {
  expect(find('')).toEqual(names);
  expect(best(names, (n) => n, '', 2)).toEqual(['web-1', 'web-10']);
});

test('any part of a name finds it, and a whole name best', () => {
  for (let i = 0; i < 500; i++) {
    const name = names[i % names.length];
    const from = Math.floor(Math.random() * name.length);
    expect(score(name, name.slice(from, from + 1 + Math.floor(Math.random() * 5)))).toBeGreaterThan(0);
    expect(find(name)[0]).toBe(name);
  }
});
