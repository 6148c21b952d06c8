import { describe, expect, test } from 'vitest';
import { fits, parseQuery, noHost } from './query.ts';

const db = { labels: { role: 'db', zone: 'a', host: 'db-1' }, text: 'db-1 up cert failing 1.0.0 role=db' };
const web = { labels: { role: 'web', host: 'web-1' }, text: 'web-1 up 1.0.0 role=web' };
const which = (q: string): string => [db, web].filter((s) => fits(parseQuery(q), s)).map((s) => s.labels.host).join(' ');

describe('a filter', () => {
  test.each([
    ['', 'db-1 web-1'],
    ['   ', 'db-1 web-1'],
    ['db', 'db-1'],
    ['CERT Failing', 'db-1'],
    ['role=db', 'db-1'],
    ['role==db', 'db-1'],
    ['role!=db', 'web-1'],
    ['role=db,zone in (a,b)', 'db-1'],
    ['role in ( db , web ),zone notin (b)', 'db-1 web-1'],
    ['zone in (b)', ''],
    ['!zone', 'web-1'],
    ['zone!=a', 'web-1'],
    ['role=web up', 'web-1'],
    ['role=web,cert', ''],
    ['host=db-1', 'db-1'],
  ])('%s', (q, hosts) => {
    expect(which(q)).toBe(hosts);
  });
});

test('any text at all is read, and comes to an end', () => {
  const letters = 'ab=!() ,in notin"<>%/\\é';
  for (let i = 0; i < 2000; i++) {
    const text = Array.from({ length: i % 20 }, () => letters[Math.floor(Math.random() * letters.length)]).join('');
    const terms = parseQuery(text);
    expect(terms.length).toBeLessThanOrEqual(text.length);
    fits(terms, db);
  }
});

test('what was looked for is said, and so what was not read as a selector', () => {
  expect(noHost('')).toBe('No host has reported yet.');
  expect(noHost('role in (a,b), !zone web')).toBe('No host has role in (a, b) and no label zone and the word “web”.');
  expect(noHost('role in (')).toBe('No host has the word “role” and the word “in” and the word “(”.');
});
