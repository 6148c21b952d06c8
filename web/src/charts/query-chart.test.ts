import { signal } from '@preact/signals';
import { beforeAll, expect, test, vi } from 'vitest';
import type { QueryLine } from '../data/matrix.ts';
import { fakeCanvas } from './fake-canvas.ts';
import { defineQueryChart, type QueryChart } from './query-chart.ts';
import type { View } from './view.ts';

beforeAll(() => {
  fakeCanvas();
  defineQueryChart();
});

const view = { add: vi.fn(), remove: vi.fn(), request: vi.fn(), status: signal('') } as unknown as View;
const line = (name: string, values: number[]): QueryLine => ({ query: 0, name, full: `up{n="${name}"}`, found: { metric: {}, points: values.map((v, i) => [i, String(v)]) } });

test('what queries have found is drawn, its legend hides lines, and who shows it is told', () => {
  const told: string[][] = [];
  const chart = document.createElement('query-chart') as QueryChart;
  Object.assign(chart, { view, stats: true, label: 'Chart of up', hides: (hidden: string[]) => told.push(hidden) });
  document.body.append(chart);
  chart.answer = { lines: [line('a', [1, 3]), line('<b>b</b>', [5, 5])], unit: '', step: 1000, from: 0, to: 2000, offset: 0 };
  expect(view.request).toHaveBeenCalledWith(chart);
  chart.draw();
  expect(chart.drawn.frame.columns).toEqual([[1, 3], [5, 5]]);
  const buttons = [...chart.querySelectorAll<HTMLButtonElement>('.legend button')];
  expect(buttons.map((b) => b.textContent)).toEqual(['a1233', '<b>b</b>5555']);
  expect(chart.querySelector('.plot')!.getAttribute('aria-label')).toBe('Chart of up. Arrow keys read values.');
  buttons[0].click();
  expect(told).toEqual([['up{n="a"}']]);
  expect(buttons.map((b) => b.getAttribute('aria-pressed'))).toEqual(['false', 'true']);
  chart.off = [];
  expect(buttons.map((b) => b.getAttribute('aria-pressed'))).toEqual(['true', 'true']);
  chart.remove();
  expect(view.remove).toHaveBeenCalledTimes(1);
});
