import { expect, test, vi } from 'vitest';
import { foldButton, Heading } from './heading.ts';

test('a heading names the chart, its unit, and the time of the crosshair', () => {
  const heading = new Heading('<b>cpu</b>');
  heading.describe('%');
  heading.time('12:03:05');
  expect(heading.element.textContent).toBe('<b>cpu</b>%12:03:05');
  expect(heading.element.querySelector('h3 b')).toBeNull();
});

test('a fold button opens something anew each time, and closes it, also before it has come', async () => {
  const below = document.createElement('div');
  let opened = 0;
  const button = foldButton('Table', 'Table of cpu', below, () => Object.assign(document.createElement('p'), { textContent: `${++opened}` }));
  button.click();
  await vi.waitFor(() => expect([below.textContent, button.getAttribute('aria-pressed')]).toEqual(['1', 'true']));
  button.click();
  expect([below.textContent, button.getAttribute('aria-pressed')]).toEqual(['', 'false']);
  button.click();
  await vi.waitFor(() => expect(below.textContent).toBe('2'));
  button.click();
  button.click();
  button.click();
  await Promise.resolve();
  await Promise.resolve();
  expect([below.textContent, button.getAttribute('aria-pressed')]).toEqual(['', 'false']);
});
