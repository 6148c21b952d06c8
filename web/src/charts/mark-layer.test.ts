import { signal } from '@preact/signals';
import type uPlot from 'uplot';
import { expect, test } from 'vitest';
import { HostModel, type Chart } from '../data/store.ts';
import { MarkLayer } from './mark-layer.ts';
import type { Mark } from './marks.ts';

const chart: Chart = { id: 'c', host: new HostModel('h'), name: 'load', unit: '', series: [], revision: signal(0) };
const mark = (at: number, text = 'it <b>fired</b>'): Mark => ({ at, tone: 'bad', text, href: '/alerts', inspector: '' });
const plot = { scales: { x: { min: 10, max: 20 } }, bbox: { left: 54, top: 8, height: 100 }, valToPos: (at: number) => (at - 10) * 10 } as unknown as uPlot;

test('a mark stands at its time, says what happened, and is hidden outside of what is shown', () => {
  const parent = document.createElement('div');
  const box = document.createElement('div');
  parent.append(box);
  const layer = new MarkLayer(box);
  layer.show([mark(12_000), mark(30_000)], chart);
  layer.place(plot);
  const links = [...parent.querySelectorAll('a')];
  expect(links.map((a) => a.hidden)).toEqual([false, true]);
  expect(links[0].style.transform).toBe('translateX(74px)');
  expect(links[0].title).toContain('it <b>fired</b>');
  expect(parent.querySelector('b')).toBeNull();
  layer.place(null);
  expect(links.every((a) => a.hidden)).toBe(true);
});

test('marks that stay the same are not made anew, and none leave nothing', () => {
  const parent = document.createElement('div');
  const box = document.createElement('div');
  parent.append(box);
  const layer = new MarkLayer(box);
  layer.show([mark(12_000)], chart);
  const first = parent.querySelector('a');
  layer.show([mark(12_000)], chart);
  expect(parent.querySelector('a')).toBe(first);
  layer.show([], chart);
  expect(parent.children.length).toBe(1);
});
