import { expect, test } from 'vitest';
import { Store } from '../data/store.ts';
import { columns, columnsOf, keyColumn, usual, type HostRow } from './host-columns.tsx';
import { levelOf } from './meter.tsx';
import { sparkPoints } from './sparkline.tsx';
import { coresOf, valueOf } from './vitals.ts';

/** A host with samples of ten seconds. */
function filled(series: [key: string, labels: Record<string, string>, kind: 'gauge' | 'counter', at: (s: number) => number][]): Store {
  const store = new Store(() => 20_000);
  const declared = series.map(([key, labels, kind], i) => ({ id: i + 1, host: 'h', key, labels, kind }));
  for (let s = 0; s <= 10; s++) {
    store.apply({
      subscription: 1,
      series: s === 0 ? declared : [],
      t: series.map(() => 10_000 + s * 1000),
      s: series.map((_, i) => i + 1),
      v: series.map(([, , , at]) => at(s)),
    });
  }
  return store;
}

const store = filled([
  ['cpu/used_percent', {}, 'gauge', () => 40],
  ['cpu/seconds_total', { mode: 'user' }, 'counter', (s) => 100 + s * 0.5],
  ['cpu/seconds_total', { mode: 'idle' }, 'counter', (s) => 900 + s * 3.5],
  ['disk/used_percent', { mount: '/' }, 'gauge', () => 10],
  ['disk/used_percent', { mount: '/home' }, 'gauge', () => 95],
  ['network/receive_bytes_total', { interface: 'eth0' }, 'counter', (s) => s * 1000],
  ['network/receive_bytes_total', { interface: 'eth1' }, 'counter', (s) => s * 500],
  ['network/receive_bytes_total', { interface: 'lo' }, 'counter', (s) => s * 1e9],
  ['tcp/established', {}, 'gauge', () => 7],
]);
const host = store.get('h')!;
const row = { name: 'h', host, wrong: [], tone: 'good', version: '1', state: 'up', labels: {}, text: 'h' } as HostRow;

test('the values of a host: the fullest disk, all traffic but its own', () => {
  expect(valueOf(host, 'cpu')).toBe(40);
  expect(valueOf(host, 'disk')).toBe(95);
  expect(valueOf(host, 'in')).toBe(1500);
  expect(valueOf(host, 'load')).toBeNaN();
});

test('processors are counted by the seconds that they spend', () => {
  expect(coresOf(host)).toBe(4);
  expect(coresOf(filled([['load/average-1', {}, 'gauge', () => 1]]).get('h')!)).toBe(0);
});

test('a value is coloured by what the host can bear', () => {
  expect([levelOf(2, 4), levelOf(3.2, 4), levelOf(64, 2), levelOf(1, 0), levelOf(NaN, 4)]).toEqual(['calm', 'much', 'too-much', 'none', 'none']);
});

test('columns are those of the address; a key is one too; the host is always there', () => {
  const ids = (text: string): string[] => columnsOf(text).map((c) => c.id);
  expect(ids('')).toEqual(usual);
  expect(ids('cpu,tcp/established,nothing')).toEqual(['host', 'cpu', 'tcp/established']);
  expect(ids('host,host,cpu')).toEqual(['host', 'cpu']);
  expect(keyColumn('tcp/established').by(row)).toBe(7);
  for (const c of columns) expect(() => c.by(row), c.id).not.toThrow();
});

test('a sparkline stays within its box', () => {
  for (let i = 0; i < 200; i++) {
    const n = Math.floor(Math.random() * 50);
    const times = Array.from({ length: n }, (_, k) => 1e6 - k * 3000).reverse();
    const values = times.map(() => (Math.random() < 0.1 ? NaN : Math.random() * 1e4));
    const points = sparkPoints(times, values, 1e6, 100);
    points.forEach((p, k) => expect(k % 2 ? p >= 0 && p <= 20 : p >= -2 && p <= 64).toBe(true));
  }
});
