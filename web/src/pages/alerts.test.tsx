import { expect, test } from 'vitest';
import type { Alert, Silence } from '../data/wire.gen.ts';
import AlertsPage from './alerts.tsx';
import { shownPage, texts } from './fake-parts.ts';

const alert = (id: string, more: Partial<Alert> = {}): Alert => ({ id, name: `disk/${id}`, host: 'web-1', labels: null, state: 'firing', since_ms: 1, summary: '<b>full</b>', ...more });
const silence = { id: 's1', matchers: ['alertname="x"'], by: 'ann', from_ms: 0, to_ms: 9, message: 'works' } as unknown as Silence;
const answers = (alerts: Alert[], silences: Silence[] = []) => ({ 'alerts.list': { alerts, receivers: ['ops'] }, 'silences.list': { silences } });

test('what fires is listed with what can be done, and its words are text', async () => {
  const list = [alert('a'), alert('b', { state: 'pending' }), alert('c', { silenced_by: [{ id: 's', by: 'bob' } as unknown as Silence] }), alert('d', { posted: true })];
  const { root, calls, press } = await shownPage(AlertsPage, { answers: answers(list, [silence]) });
  expect(texts(root, '.head .count')).toEqual(['3']);
  expect(root.querySelector('td b')).toBeNull();
  const buttons = [...root.querySelectorAll('[aria-label="Alerts"] tbody tr')].map((r) => [...r.querySelectorAll('button')].map((b) => b.textContent));
  expect(buttons).toEqual([['Acknowledge', 'Silence 1 h'], [], [], ['Silence 1 h']]);
  await press('Acknowledge');
  await press('Silence 1 h');
  await press('End');
  expect(calls.filter(([m]) => !m.endsWith('.list'))).toEqual([
    ['alerts.ack', { id: 'a' }],
    ['silences.add', { matchers: ['alertname="disk/a"', 'host="web-1"'], seconds: 3600, message: 'from the page' }],
    ['silences.end', { silence: 's1' }],
  ]);
});

test('a viewer is offered nothing that it may not do', async () => {
  const { root } = await shownPage(AlertsPage, { answers: answers([alert('a')], [silence]), operator: false });
  expect(texts(root, 'tbody button')).toEqual([]);
});

test('an error of a press is told', async () => {
  const { root, press } = await shownPage(AlertsPage, { answers: { ...answers([alert('a')]), 'alerts.ack': new Error('it is on fire') } });
  await press('Acknowledge');
  expect(root.querySelector('[role="alert"]')!.textContent).toContain('it is on fire');
});

test('the address leads to one alert, or says that it has ended', async () => {
  const rows = async (one: string) => (await shownPage(AlertsPage, { answers: answers([alert('a'), alert('b')]), query: { alert: one } })).root;
  expect([...(await rows('b')).querySelectorAll('tr[aria-current]')].map((r) => r.getAttribute('data-row'))).toEqual(['bfiring']);
  const gone = await rows('x');
  expect(gone.querySelector('tr[aria-current]')).toBeNull();
  expect(gone.querySelector('.hint a')!.getAttribute('href')).toBe('/alerts?alert=x&ended=1');
});

test('where nothing fires it says who would be told', async () => {
  const { root } = await shownPage(AlertsPage, { answers: answers([]) });
  expect(root.textContent).toContain('Alerts are sent to: ops.');
  const nobody = await shownPage(AlertsPage, { answers: { 'alerts.list': { alerts: null }, 'silences.list': { silences: null } } });
  expect(nobody.root.textContent).toContain('is empty');
});
