import { signal } from '@preact/signals';
import { beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { Store } from '../data/store.ts';
import type { ChartPage } from './chart-page.ts';
import { fakeCanvas } from './fake-canvas.ts';
import { buildFrame } from './frame.ts';
import { LiveChart } from './live-chart.ts';
import type { Mark } from './marks.ts';
import type { View } from './view.ts';

beforeAll(() => {
  fakeCanvas();
  customElements.define('live-chart', LiveChart);
});

const now = 1_000_000;
let store: Store;
let asked: LiveChart[];
let view: View;
beforeEach(() => {
  document.body.replaceChildren();
  store = new Store(() => now);
  const series = ['a', 'b', 'c'].map((n, i) => ({ id: i + 1, host: 'h', key: 'pool/size', kind: 'gauge' as const, labels: { n } }));
  store.apply({ subscription: 1, series, t: [now, now, now], s: [1, 2, 3], v: [1, 2, 3] });
  asked = [];
  const time = { pausedAt: signal(null), range: signal(null) };
  view = { add: vi.fn(), remove: vi.fn(), request: (c: LiveChart) => asked.push(c), mayChange: signal(true), status: signal(''), edge: now, grain: 0, span: 60_000, live: true, place: '', time, edgeOf: () => now, frameOf: buildFrame } as unknown as View;
});

function shown(more: Partial<LiveChart> = {}): LiveChart {
  const chart = Object.assign(document.createElement('live-chart') as LiveChart, { chart: store.get('h')!.charts.value[0], view, ...more });
  document.body.append(chart);
  return chart;
}

test('a chart names itself, tells its view while it is on the page, and asks to be drawn when a line comes', () => {
  const chart = shown();
  expect([chart.dataset.host, chart.dataset.chart, chart.querySelector('h3')!.textContent]).toEqual(['h', 'pool', 'pool']);
  expect(view.add).toHaveBeenCalledTimes(1);
  expect(asked).toEqual([chart]);
  store.apply({ subscription: 1, series: [{ id: 4, host: 'h', key: 'pool/size', labels: { n: 'd' } }], t: [now], s: [4], v: [1] });
  expect(asked.length).toBe(2);
  chart.remove();
  expect(view.remove).toHaveBeenCalledTimes(1);
});

test('samples are given as they came', () => {
  expect(shown().series.map((s) => [s.labels.n, s.times, s.values])).toEqual([['a', [now], [1]], ['b', [now], [2]], ['c', [now], [3]]]);
});

test('a large chart gets its sums and its table after it, and its hidden lines from the page', async () => {
  const page: ChartPage = { session: {} as never, boosts: { allowed: signal(false) } as never, hidden: signal(['pool/size{n="b"}', 'other/line']), marks: signal<Mark[]>([]) };
  const chart = shown({ large: true, page });
  expect([...chart.querySelectorAll('header button')].map((b) => b.textContent)).toEqual(['⋯']);
  await vi.waitFor(() => expect([...chart.querySelectorAll('header button')].map((b) => b.textContent)).toContain('Table'));
  chart.create();
  chart.draw(true);
  expect(chart.drawn.frame.columns).toEqual([[1], [2], [3]]);
  const buttons = [...chart.querySelectorAll<HTMLButtonElement>('.legend button')];
  expect(buttons.map((b) => b.getAttribute('aria-pressed'))).toEqual(['true', 'false', 'true']);
  expect([...chart.querySelectorAll('.legend small')].map((s) => s.textContent)).toEqual(['min', 'mean', 'max', 'last']);
  buttons[0].click();
  expect(page.hidden.value.sort()).toEqual(['other/line', 'pool/size{n="a"}', 'pool/size{n="b"}']);
  buttons[1].click();
  expect(page.hidden.value.sort()).toEqual(['other/line', 'pool/size{n="a"}']);
});

test('states are strips as high as their lines need, and lines once another value has come', async () => {
  const add = (id: number, v: number): void => store.apply({ subscription: 1, series: [{ id, host: 'h', key: 'http/up', kind: 'gauge', labels: { url: `${id}` } }], t: [now], s: [id], v: [v] });
  add(11, 1);
  const chart = shown({ large: true, chart: store.get('h')!.charts.value.find((c) => c.name === 'http')! });
  await vi.waitFor(() => expect(chart.querySelector('header button')!.textContent).toBe('Table'));
  const height = (): number => {
    chart.create();
    chart.draw(true);
    return parseInt(chart.querySelector<HTMLElement>('.plot')!.style.height || '0', 10);
  };
  const one = height();
  expect(one).toBeGreaterThan(0);
  add(12, 0);
  expect(height()).toBeGreaterThan(one);
  add(13, 7);
  expect(height()).toBe(0);
});
