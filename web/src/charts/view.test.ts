import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Store } from '../data/store.ts';
import type { Frame } from './frame.ts';
import { View, type Drawable } from './view.ts';

let cross: (entries: { target: Element; isIntersecting: boolean }[]) => void;
let frames: (() => void)[];

beforeEach(() => {
  vi.useFakeTimers();
  frames = [];
  vi.stubGlobal('requestAnimationFrame', (run: () => void) => frames.push(run));
  vi.stubGlobal('IntersectionObserver', class {
    constructor(run: typeof cross) {
      cross = run;
    }
    observe(): void {}
    unobserve(): void {}
    disconnect(): void {}
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** Charts on the screen, and whose words are written in each of some seconds. */
function seconds(count: number, n: number): number[][] {
  const view = new View();
  const written: number[] = [];
  const charts = Array.from({ length: count }, (_, i) => {
    const chart = document.createElement('div') as unknown as Drawable & { created: boolean };
    Object.assign(chart, { created: true, host: null, create: () => {}, destroy: () => {}, fit: () => {}, draw: (_must: boolean, words: boolean) => words && written.push(i) });
    document.body.append(chart);
    view.add(chart, chart);
    return chart;
  });
  const paint = (): void => frames.splice(0).forEach((run) => run());
  view.start();
  cross(charts.map((target) => ({ target, isIntersecting: true })));
  paint();
  expect(written.length).toBe(count); // the first time nothing waits
  const seen = Array.from({ length: n }, () => {
    written.length = 0;
    vi.advanceTimersByTime(1000);
    paint();
    return [...written];
  });
  view.stop();
  charts.forEach((c) => c.remove());
  return seen;
}

test('of a page of charts each has its words written each second', () => {
  for (const list of seconds(75, 3)) expect(list.length).toBe(75);
});

test.each([76, 200, 201, 1000])('of %d charts the words take turns, and no second has more than its share', (count) => {
  const turns = Math.ceil(count / 75);
  const all = seconds(count, turns + 1);
  expect(all.slice(0, turns).flat().sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
  expect(all[turns]).toEqual(all[0]);
  for (const list of all) expect(list.length).toBeLessThanOrEqual(75);
});

test('long windows are drawn as soon as the code for them has come', async () => {
  const view = new View();
  const store = new Store(() => 60_000);
  store.apply({ subscription: 1, series: [{ id: 1, host: 'h', key: 'load/average-1', kind: 'gauge', labels: {} }], t: [10_000, 11_000, 59_000], s: [1, 1, 1], v: [1, 5, 3] });
  const { series } = store.get('h')!.charts.value[0];
  const draw = (grain: number): Frame => view.frameOf(series, 0, 60_000, 0, grain);
  expect(draw(0).columns).toEqual([expect.arrayContaining([1, 5, 3])]);
  expect(draw(10_000)).toEqual({ times: [], columns: [[]], lonely: [[]] });
  await vi.waitFor(() => expect(draw(10_000).columns[0]).toContain(5), 60_000);
  expect(draw(10_000).lows![0]).toContain(1);
  expect(frames.length).toBe(1); // all charts are drawn again
});
