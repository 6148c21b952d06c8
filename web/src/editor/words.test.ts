import { expect, test } from 'vitest';
import json from './words.json?raw';
import manyValues from './templates/many-values.go.txt?raw';
import http from './templates/http-check.go.txt?raw';
import { results, Words, type Package } from './words.ts';

const words = new Words(JSON.parse(json) as Package[]);
const names = (expression: string, text: string): string[] => words.after(expression, text)?.words.map((w) => w.n) ?? [];

test('a package is completed, and only with what scripts may use', () => {
  expect(names('strings', 'import "strings"')).toContain('Fields');
  expect(names('os', '')).toContain('ReadFile');
  expect(names('os', '')).not.toContain('Remove');
  expect(names('nothing', '')).toEqual([]);
});

test('an import decides between packages of one name', () => {
  const gopsutil = 'import "github.com/shirou/gopsutil/v3/net"\n';
  expect(names('net', gopsutil)).toContain('IOCounters');
  expect(names('net', 'import "net"\n')).toContain('Dial');
  expect(names('psnet', 'import psnet "github.com/shirou/gopsutil/v3/net"\n')).toContain('IOCounters');
});

test('variables have the members of their types', () => {
  expect(names('r', manyValues)).toContain('Gauge');
  expect(names('ctx', manyValues)).toContain('Deadline');
  expect(names('p', manyValues)).toContain('Mountpoint');
  expect(names('u', manyValues)).toContain('InodesUsedPercent');
  expect(names('response', http)).toContain('StatusCode');
  expect(names('response.Body', http)).toContain('Close');
  expect(names('start', http)).toContain('Sub');
  expect(names('err', manyValues)).toEqual([]);
});

test('what is explained has a type and words', () => {
  const found = words.find('r', 'Gauge', manyValues);
  expect(found?.of).toBe('*inspectors.Report');
  expect(found?.word.t).toContain('value float64');
  expect(found?.word.d).toContain('goes up and down');
});

test('results of functions', () => {
  expect(results('func(a func(int) error) ([]disk.PartitionStat, error)')).toEqual(['[]disk.PartitionStat', 'error']);
  expect(results('func() (n int, err error)')).toEqual(['int', 'error']);
  expect(results('func()')).toEqual([]);
  expect(results('int')).toEqual([]);
});

test('no text makes it fail or run on', () => {
  let seed = Date.now() % 100_000;
  const random = (n: number): number => (seed = (seed * 48271 + 11) % 2147483647) % n;
  const parts = ['a', ' := ', 'a.b', 'range ', '(', ')', '\n', '*', '"', ',', 'import ', 'strings', '.', '[', '{'];
  for (let round = 0; round < 500; round++) {
    const text = Array.from({ length: random(30) }, () => parts[random(parts.length)]).join('');
    for (const e of ['a', 'a.b', 'strings', 'a.b.c', 'x']) words.after(e, text);
  }
});
