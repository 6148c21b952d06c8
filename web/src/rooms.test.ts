// How the sources may lie: no circle of imports, no file that is too long.

import { expect, test } from 'vitest';

const most = 500; // lines of a file

const texts = import.meta.glob<string>('./**/*.{ts,tsx}', { query: '?raw', import: 'default', eager: true });
const files = Object.keys(texts);

/** What a file imports of ours, also only for its types, or when it is needed. */
function imports(file: string): string[] {
  const named = [...texts[file].matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((m) => m[1]).filter((name) => !name.endsWith('.css'));
  const found = named.filter((name) => !name.endsWith('?raw')); // texts, not code
  return found.map((name) => `.${new URL(name, `http://x/${file}`).pathname}`);
}

/** A way from a file back to itself, or null. */
function circle(graph: Map<string, string[]>): string[] | null {
  const done = new Set<string>();
  const walk = (at: string, way: string[]): string[] | null => {
    if (way.includes(at)) return [...way.slice(way.indexOf(at)), at];
    if (done.has(at)) return null;
    for (const next of graph.get(at) ?? []) {
      const found = walk(next, [...way, at]);
      if (found) return found;
    }
    done.add(at);
    return null;
  };
  for (const at of graph.keys()) {
    const found = walk(at, []);
    if (found) return found;
  }
  return null;
}

test('a circle would be found', () => {
  const graph = new Map([
    ['a', ['b', 'c']],
    ['b', ['c']],
    ['c', ['d']],
    ['d', ['b']],
  ]);
  expect(circle(graph)).toEqual(['b', 'c', 'd', 'b']);
  graph.set('d', []);
  expect(circle(graph)).toBeNull();
});

test('imports run in no circle', () => {
  const code = files.filter((f) => /\.tsx?$/.test(f));
  const graph = new Map(code.map((f) => [f, imports(f)]));
  expect([...graph.values()].flat().length).toBeGreaterThan(code.length);
  for (const [file, of] of graph) for (const name of of) expect(files, `${file} imports it`).toContain(name);
  expect(circle(graph)).toBeNull();
});

test('no file is too long', () => {
  // What is generated is not read from end to end.
  const long = files.filter((f) => !f.endsWith('.gen.ts')).map((f) => [f, texts[f].split('\n').length - 1] as const).filter(([, n]) => n > most);
  expect(long).toEqual([]);
});
