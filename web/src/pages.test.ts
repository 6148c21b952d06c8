import { expect, test } from 'vitest';
import { pages } from './pages.ts';
import { Router } from './lib/router.ts';

test('each page has an id, a path and a key that no other has', () => {
  const all = (of: (p: (typeof pages)[number]) => string | undefined): string[] => pages.map(of).filter((v) => v !== undefined);
  for (const list of [all((p) => p.id), all((p) => p.path), all((p) => p.rail?.key)]) {
    expect(new Set(list).size).toBe(list.length);
  }
});

test('each page is reached by its path, and lights a place in the rail', () => {
  const router = new Router(pages);
  for (const page of pages) {
    const path = page.path.replaceAll(/[:*](\w+)/g, 'x');
    expect(router.parse(path).page, path).toBe(page.id);
    const lit = pages.find((p) => p.id === (page.under ?? page.id));
    expect(lit?.rail, page.id).toBeDefined();
    expect(page.title({ host: 'x', name: 'x', id: 'x' })).not.toBe('');
  }
});

test('the code of each page can be loaded', { timeout: 60_000 }, async () => {
  for (const page of pages) expect((await page.load()).default, page.id).toBeTypeOf('function');
});
