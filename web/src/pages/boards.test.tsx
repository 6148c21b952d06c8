import { expect, test } from 'vitest';
import BoardsPage from './boards.tsx';
import { exploreHref } from './board.tsx';
import { shownPage, texts } from './fake-parts.ts';

const list = { 'boards.list': { boards: [{ name: 'one', title: '<b>One</b>', version: 'v1' }] } };
const panel = { kind: 'text', title: 'Old', text: 'x', x: 0, y: 0, w: 12, h: 2 };

test('boards are listed, and what they are called is text', async () => {
  const { root } = await shownPage(BoardsPage, { answers: list });
  expect(root.querySelector('tbody a')!.getAttribute('href')).toBe('/boards/one');
  expect(root.querySelector('tbody b')).toBeNull();
  expect(root.textContent).toContain('<b>One</b>');
});

test('what is pinned comes after what is on the board, and the version that was read is named', async () => {
  const answers = { ...list, 'boards.get': { name: 'one', title: 'One', version: 'v7', panels: [panel] }, 'boards.put': {} };
  const { calls, went, press } = await shownPage(BoardsPage, { answers, query: { pin: 'cpu on a', q: 'cpu_used_percent', q2: 'load_average_1' } });
  await press('<b>One</b>');
  const [, put] = calls.find(([m]) => m === 'boards.put')!;
  expect(put).toMatchObject({ name: 'one', version: 'v7', message: 'pinned cpu on a', content: { title: 'One' } });
  expect(put.content.panels[0]).toEqual(panel);
  expect(put.content.panels[1]).toMatchObject({ kind: 'chart', title: 'cpu on a', queries: ['cpu_used_percent', 'load_average_1'] });
  expect(put.content.panels[1].y).toBeGreaterThanOrEqual(2);
  expect(went).toEqual(['/boards/one']);
});

test('a conflict is told, and nothing is opened', async () => {
  const answers = { ...list, 'boards.get': { name: 'one', title: 'One', version: 'v7' }, 'boards.put': new Error('bob was first') };
  const { root, went, press } = await shownPage(BoardsPage, { answers, query: { pin: 'x', q: 'up' } });
  await press('<b>One</b>');
  expect(root.querySelector('[role="alert"]')!.textContent).toContain('bob was first');
  expect(went).toEqual([]);
});

test('a viewer is offered no way to make one', async () => {
  const { root } = await shownPage(BoardsPage, { answers: list, operator: false });
  expect(texts(root, 'button').filter((t) => /New|Make|Import|Create/.test(t))).toEqual([]);
});

test('a panel opens in Explore with its variables filled in', () => {
  const href = exploreHref({ ...panel, kind: 'table', queries: ['up{host=~"$host"}', 'x'] }, { host: 'a' });
  expect(Object.fromEntries(new URL(href, 'http://x').searchParams)).toEqual({ q: 'up{host=~"a"}', q2: 'x', as: 'table' });
});
