import { signal } from '@preact/signals';
import { expect, test } from 'vitest';
import { Store } from '../data/store.ts';
import { Captions } from './captions.ts';
import { Drawing } from './drawing.ts';
import { Legend } from './legend.ts';
import { Lines } from './lines.ts';
import type { View } from './view.ts';

test('a chart is named, its newest values stand in the legend, and the crosshair is told', () => {
  const now = Date.now();
  const store = new Store(() => now);
  store.setMasterClock(now);
  store.setHost({ host: 'web-1', state: 'up', since_ms: 0, last_seen_ms: now, skew_ms: 0, series: 2, samples: 0 });
  const host = store.get('web-1')!;
  const series = ['/', '<b>/srv'].map((mount, i) => ({ id: i + 1, host: 'web-1', key: 'disk/used_percent', labels: { mount } }));
  store.apply({ subscription: 0, series, t: [now, now], s: [1, 2], v: [31.5, 70] });
  const chart = host.charts.value[0];
  const lines = new Lines(() => chart, () => true);
  lines.choose(now);
  const box = document.createElement('div');
  const legend = new Legend({ toggle: () => {}, expand: () => {} });
  const drawing = new Drawing(box);
  drawing.frame = { times: [now / 1000], columns: [[31.5], [70]], lonely: [[], []] };
  const view = { edge: now, live: true, place: '', status: signal('') } as unknown as View;
  const captions = new Captions({ chart: () => chart, view, lines, drawing, legend, box });
  captions.write(0, false);
  captions.values(null);
  expect(captions.drawn).toEqual(['/', '<b>/srv']);
  expect([...legend.element.querySelectorAll('li')].map((li) => li.textContent)).toEqual(['/31.5 %', '<b>/srv70 %']);
  expect(legend.element.querySelector('span b')).toBeNull();
  expect(box.getAttribute('aria-label')).toBe('disk, used, %, on web-1. Arrow keys read values.');
  drawing.frame.columns[0][0] = 33;
  store.apply({ subscription: 0, series: [], t: [now + 1], s: [1], v: [33] });
  captions.values(null, false);
  expect(legend.element.querySelector('b')!.textContent).toBe('31.5 %'); // it may wait
  captions.values(null);
  expect(legend.element.querySelector('b')!.textContent).toBe('33 %');
  drawing.frame.columns[0][0] = 31.5;
  captions.values(0, false); // the crosshair waits for nothing
  expect(captions.heading.element.querySelector('time')!.textContent).not.toBe('');
  captions.tell(0);
  expect(view.status.value).toMatch(/: \/ 31\.5 %, <b>\/srv 70 %$/);
  captions.tell(null);
  expect(view.status.value).toBe('');
});
