// The menu of a chart, opened by a button in its heading. Its code is loaded when
// somebody first opens one.

import { download } from '../lib/download.ts';
import { at } from '../lib/router.ts';
import { csvOf } from '../data/matrix.ts';
import type { Chart } from '../data/store.ts';
import { imageOf } from './chart-image.ts';
import type { Frame } from './frame.ts';
import { everybody, queriesOf } from './promql.ts';

/** What the menu needs to know about a chart. */
export interface Chosen {
  element: HTMLElement;
  chart: Chart;
  /** The user may change boards. */
  mayPin: boolean;
  /** What is drawn: a column for each line, and the names of the lines. */
  frame: Frame;
  names: string[];
}

/** The time of the page, so that the opened page shows the same time. */
function timeOf(search: string): Record<string, string> {
  const params = new URLSearchParams(search);
  return Object.fromEntries(['window', 'from', 'to', 'at'].map((n) => [n, params.get(n) ?? '']));
}

function queryNames(queries: string[]): Record<string, string> {
  return Object.fromEntries(queries.map((q, i) => [i === 0 ? 'q' : `q${i + 1}`, q]));
}

export function exploreLink(queries: string[], search: string): string {
  return at('/explore', { ...queryNames(queries), ...timeOf(search) });
}

/** The page on which a user chooses a board for some queries. */
export function pinLink(title: string, queries: string[], search: string): string {
  return at('/boards', { pin: title.slice(0, 100), ...queryNames(queries), ...timeOf(search) });
}

/**
 * The drawn values as CSV, with times in UTC. A point that stands for many samples
 * is the highest of them.
 */
export function frameCSV(frame: Frame, names: string[]): string {
  const rows = frame.times.flatMap((t, r) => {
    const cells = frame.columns.map((c) => (typeof c[r] === 'number' ? String(c[r]) : ''));
    return cells.some((c) => c !== '') ? [[new Date(t * 1000).toISOString(), ...cells]] : [];
  });
  return csvOf([['time', ...names], ...rows]);
}

function fileName(title: string): string {
  return title.replace(/[^\p{L}\p{N}]+/gu, '-');
}

function saveImage(element: HTMLElement, title: string, times: number[]): void {
  const image = imageOf(element, title, times);
  if (image === null) return;
  const link = document.createElement('a');
  link.href = image;
  link.download = `${fileName(title)}.png`;
  link.click();
}

/** Opens the menu below a button. Escape and a click anywhere close it. */
export function openMenu(button: HTMLElement, { element, chart, mayPin, frame, names }: Chosen): void {
  const title = chart.host.name === everybody ? chart.name : `${chart.name} on ${chart.host.name}`;
  const queries = queriesOf(chart);
  const menu = document.createElement('div');
  menu.className = 'chart-menu';
  menu.popover = 'auto';
  const entry = (text: string, run: () => void): void => {
    const item = document.createElement('button');
    item.type = 'button';
    item.textContent = text;
    item.addEventListener('click', () => {
      menu.hidePopover();
      run();
    });
    menu.append(item);
  };
  const link = (text: string, href: string): void => {
    const item = document.createElement('a');
    item.href = href;
    item.textContent = text;
    item.addEventListener('click', () => menu.hidePopover());
    menu.append(item);
  };
  link('Open in Explore', exploreLink(queries, location.search));
  if (mayPin) link('Pin to a board', pinLink(title, queries, location.search));
  entry('Copy as PromQL', () => void navigator.clipboard?.writeText(queries.join('\n')).catch(() => {}));
  entry('Save as CSV', () => download(`${fileName(title)}.csv`, 'text/csv', frameCSV(frame, names)));
  entry('Save as image', () => saveImage(element, title, frame.times));
  entry('Full screen', () => void element.requestFullscreen?.().catch(() => {}));
  (element.closest('main') ?? document.body).append(menu);
  menu.addEventListener('toggle', (e) => (e as ToggleEvent).newState === 'closed' && (menu.remove(), button.focus({ preventScroll: true })));
  menu.showPopover();
  const { bottom, right } = button.getBoundingClientRect();
  menu.style.top = `${Math.max(4, Math.min(bottom + 2, innerHeight - menu.offsetHeight - 4))}px`;
  menu.style.left = `${Math.max(4, Math.min(right - menu.offsetWidth, innerWidth - menu.offsetWidth - 4))}px`;
  menu.querySelector<HTMLElement>('a, button')?.focus();
}
