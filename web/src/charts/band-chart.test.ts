import { signal } from '@preact/signals';
import { beforeAll, expect, test, vi } from 'vitest';
import { defineBandChart, type BandChart } from './band-chart.ts';
import { fakeCanvas } from './fake-canvas.ts';
import type { View } from './view.ts';

beforeAll(() => {
  fakeCanvas();
  defineBandChart();
});

test('many hosts are a median within a band, which the keys read', () => {
  const view = { add: vi.fn(), remove: vi.fn(), request: vi.fn(), status: signal('') } as unknown as View;
  const chart = Object.assign(document.createElement('band-chart') as BandChart, { view, unit: 'percent', label: 'cpu' });
  document.body.append(chart);
  chart.frame = { times: [1, 2], columns: [[20, 40]], lows: [[10, 20]], middles: [[15, 30]], lonely: [[]] };
  expect(view.request).toHaveBeenCalledWith(chart);
  chart.create();
  chart.draw(true);
  const hint = chart.querySelector('.hint')!;
  expect(hint.textContent).toBe('The median of all hosts, within the band that eight in ten are in');
  const plot = chart.querySelector<HTMLElement>('.plot')!;
  expect(plot.getAttribute('aria-label')).toContain('cpu: the median of all hosts');
  plot.dispatchEvent(new KeyboardEvent('keydown', { key: 'End' }));
  expect(view.status.value).toMatch(/: median 30 %, eight in ten 20 % – 40 %$/);
  chart.remove();
  expect(view.remove).toHaveBeenCalledTimes(1);
});
