import { render } from 'preact';
import { expect, test } from 'vitest';
import { Store, type Chart } from '../data/store.ts';
import { factsOf, HostFacts } from './host-facts.tsx';

const now = Date.parse('2026-11-30T12:00:00Z');

function chartsOf(lines: [key: string, value: number, labels?: Record<string, string>][]): Chart[] {
  const store = new Store(() => now);
  store.apply({
    subscription: 1,
    series: lines.map(([key, , labels], i) => ({ id: i + 1, host: 'h', key, kind: 'gauge', labels })),
    t: lines.map(() => now),
    s: lines.map((_, i) => i + 1),
    v: lines.map(([, v]) => v),
  });
  return store.get('h')!.charts.value;
}
const told = (lines: Parameters<typeof chartsOf>[0]): string[] => factsOf(chartsOf(lines), now, '').facts.map((f) => `${f.name}: ${f.value}`);

test('what is known of a host is told as facts', () => {
  expect(told([['postgres/uptime_seconds', 86_400 * 3 + 3600]])).toEqual(['postgres uptime: 3 d 1 h']);
  expect(told([['kernel/info', 1, { release: '6.1.0' }]])).toEqual(['kernel: 6.1.0']);
  expect(told([['os/info', 1, { name: 'debian', version: '13' }]])).toEqual(['os: name debian · version 13']);
  expect(told([['app/start_time_seconds', now / 1000 - 86_400 * 3]])).toEqual(['app start: 3 d ago']);
  expect(told([['cert/expiry_time_seconds', now / 1000 + 86_400 * 30]])).toEqual(['cert expiry: in 30 d']);
});

test('the uptime of the host stands in its heading, and is no chart', () => {
  expect(factsOf(chartsOf([['uptime/seconds', 3600]]), now, '')).toEqual({ facts: [], rest: [] });
});

test('values that come and go are charts', () => {
  for (const line of [['load/average-1', 1], ['cache/info', 7, { a: 'b' }], ['net/info', 1], ['app/start_time_seconds', 3]] as Parameters<typeof chartsOf>[0]) {
    const { facts, rest } = factsOf(chartsOf([line]), now, '');
    expect([facts.length, rest.length], line[0]).toEqual([0, 1]);
  }
});

test('each line is told once: as a fact, or in a chart, and a chart is not torn apart', () => {
  for (let n = 0; n < 200; n++) {
    const pick = <T,>(list: T[]): T => list[Math.floor(Math.random() * list.length)];
    const lines = Array.from({ length: 1 + Math.floor(Math.random() * 8) }, (_, i): [string, number, Record<string, string>] => [
      `${pick(['a', 'b'])}/${pick(['info', 'up', 'uptime', 'boot_time', 'x_seconds'])}`,
      pick([0, 1, 1e9, NaN]),
      { n: `${i}` },
    ]);
    const charts = chartsOf(lines);
    const { facts, rest } = factsOf(charts, now, '');
    const ids = [...facts.map((f) => f.id), ...rest.flatMap((c) => c.series.map((s) => s.id))];
    expect(ids.sort()).toEqual(charts.flatMap((c) => c.series.map((s) => s.id)).sort());
  }
});

test('markup in a label is text, and the fact leads to Explore', () => {
  const box = document.createElement('div');
  render(<HostFacts facts={factsOf(chartsOf([['kernel/info', 1, { release: '<b>6</b>' }]]), now, '?window=1h').facts} />, box);
  expect(box.querySelector('dd')!.textContent).toBe('<b>6</b>');
  expect(box.querySelector('a')!.getAttribute('href')).toMatch(/^\/explore\?q=kernel_info.*&window=1h$/);
});
