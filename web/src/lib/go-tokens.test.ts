import { expect, test } from 'vitest';
import { tokenLines, tokens } from './go-tokens.ts';

test('pieces have their kinds', () => {
  const kinds = tokens('func f(a int) string { return "x\\"y" + `raw\n"` // done\n}').map((t) => `${t.kind}:${t.text}`);
  expect(kinds).toContain('keyword:func');
  expect(kinds).toContain('call:f');
  expect(kinds).toContain('type:int');
  expect(kinds).toContain('text:"x\\"y"');
  expect(kinds).toContain('text:`raw\n"`');
  expect(kinds).toContain('comment:// done');
});

test('whatever the text is, the pieces are the text', () => {
  let seed = Date.now() % 100_000;
  const random = (n: number): number => (seed = (seed * 48271 + 11) % 2147483647) % n;
  const parts = ['"', "'", '`', '//', '/*', '*/', '\n', 'func', ' ', '\\', '12.5e3', 'é', '<script>', '{'];
  for (let round = 0; round < 500; round++) {
    const text = Array.from({ length: random(12) }, () => parts[random(parts.length)]).join('');
    expect(tokens(text).map((t) => t.text).join('')).toBe(text);
    expect(tokenLines(text).map((l) => l.map((t) => t.text).join('')).join('\n')).toBe(text);
  }
});
