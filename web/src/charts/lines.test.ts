import { signal } from '@preact/signals';
import { beforeEach, expect, test } from 'vitest';
import { HostModel, type Chart, type Series } from '../data/store.ts';
import { Budget, Track } from '../data/track.ts';
import { Lines } from './lines.ts';

function series(n: number): Series {
  const track = new Track(new Budget(1e6), 1e9);
  track.push(1000, n);
  track.push(2000, n);
  const id = `pool/size{n="${n}"}`;
  return { id, key: 'pool/size', item: 'size', labels: { n: `${n}` }, words: 'size', values: `${n}`, kind: 'gauge', rate: false, past: null, means: null, dropped: false, track };
}

let chart: Chart;
let lines: Lines;
beforeEach(() => {
  chart = { id: 'c', host: new HostModel('h'), name: 'pool', unit: '', series: Array.from({ length: 40 }, (_, i) => series(i)), revision: signal(0) };
  lines = new Lines(() => chart, () => false);
  lines.choose(100_000);
});
const shown = (): string[] => lines.drawn.filter((s) => lines.look(s).shown).map((s) => s.values);

test('the largest are drawn, and chosen anew from time to time', () => {
  expect(lines.drawn.map((s) => s.values)).toEqual(['34', '35', '36', '37', '38', '39']);
  chart.series[0].track.push(3000, 1e6);
  expect(lines.choose(101_000)).toBe(false);
  expect(lines.choose(120_000)).toBe(true);
  expect(lines.drawn[0].values).toBe('0');
  expect(lines.choose(140_000)).toBe(false);
});

test('all are drawn when asked for, and the largest again', () => {
  expect(lines.more).toBe('+34 more');
  lines.expand();
  expect(lines.choose(101_000)).toBe(true);
  expect([lines.drawn.length, lines.more]).toEqual([40, 'fewer']);
  lines.expand();
  lines.choose(102_000);
  expect(lines.drawn.length).toBe(6);
});

test('a click hides a line; alone, it brings the others back', () => {
  lines.toggle(0, false);
  expect(shown()).toEqual(['35', '36', '37', '38', '39']);
  lines.toggle(0, false);
  lines.toggle(2, true);
  expect(shown()).toEqual(['36']);
  lines.toggle(2, true);
  expect(shown().length).toBe(6);
});

test('where all lines are drawn their colours are those of their places, whichever came first', () => {
  const all = Array.from({ length: 6 }, (_, i) => series(i));
  for (let turn = 0; turn < 50; turn++) {
    const order = [...all].sort(() => Math.random() - 0.5);
    chart.series = [];
    const live = new Lines(() => chart, () => false);
    order.forEach((_, i) => {
      chart.series = all.filter((a) => order.indexOf(a) <= i);
      live.stale();
      live.choose(200_000);
    });
    expect(all.map((s) => live.look(s).slot)).toEqual([0, 1, 2, 3, 4, 5]);
  }
});
