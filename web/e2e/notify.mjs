// Notifications of the browser about alerts: off until asked for, and told once,
// whatever tabs are open and however often they are loaded again.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';
import { axe, violations } from './browser.mjs';
import { Child, equal, ok, poll, test } from './harness.mjs';

const rules = `
groups:
  - name: g
    interval: 1s
    rules:
      - { alert: level/high, expr: 'shop_queue > 10', annotations: { summary: "queue of {{ $labels.host }} is long" } }
`;

/** Keeps what the page shows, for the test: the browser shows it too. */
const record = () => {
  globalThis.shown = [];
  const Real = globalThis.Notification;
  globalThis.Notification = class extends Real {
    constructor(title, options) {
      super(title, options);
      globalThis.shown.push({ title, body: options.body, real: this });
    }
  };
};

test('a browser notifies of what begins to fire, once over all tabs', async ({ browser, vedette }) => {
  const dir = mkdtempSync(join(tmpdir(), 'vedette-notify-'));
  writeFileSync(join(dir, 'rules.yaml'), rules);
  writeFileSync(join(dir, 'master.yaml'), 'master:\n  alerts: { built_in: false, rules: [rules.yaml] }\n');
  const master = new Child(vedette, ['master', '--listen', '127.0.0.1:0', '--config', join(dir, 'master.yaml')]);
  try {
    const url = await master.url();
    const level = {};
    const socket = new WebSocket(`${url.replace('http', 'ws')}/rpc`, 'vedette.v1.json');
    await new Promise((done, fail) => socket.on('open', done).on('error', fail));
    let id = 0;
    const tick = setInterval(() => {
      for (const [host, val] of Object.entries(level)) {
        socket.send(JSON.stringify({ jsonrpc: '2.0', id: ++id, method: 'master.reportMetric', params: [host, { ts: Date.now(), key: 'shop/queue', val }] }));
      }
    }, 500);
    const page = await browser.page();
    const context = page.context();
    try {
      await context.addInitScript(record);
      level['web-1'] = 99;
      await page.goto(`${url}/alerts`);
      const bell = (p, n) => p.locator('.rail a[data-page="alerts"] b', { hasText: String(n) }).waitFor();
      const told = async (p) => await p.evaluate(() => globalThis.shown.map(({ title, body }) => ({ title, body })));
      await bell(page, 1);
      const box = page.getByLabel('Notify in this browser');
      equal(await box.isChecked(), false, 'off until somebody wants it');
      equal(await axe(page), [], 'axe');
      await context.grantPermissions(['notifications'], { origin: url });
      await box.check();
      await poll('it stays on', async () => (await box.isChecked()) && (await page.evaluate(() => localStorage.getItem('vedette.notify'))) === 'true');
      const tabs = [page, await context.newPage(), await context.newPage()];
      for (const p of tabs.slice(1)) await p.goto(url);
      for (const p of tabs) await bell(p, 1);
      level['web-2'] = 50;
      for (const p of tabs) await bell(p, 2);
      const all = async () => (await Promise.all(tabs.map(told))).flat();
      await poll('the notification', async () => (await all()).length > 0);
      equal(await all(), [{ title: 'level/high on web-2', body: 'queue of web-2 is long' }], 'what was told; web-1 fired before');
      for (const p of tabs) await p.reload();
      for (const p of tabs) await bell(p, 2);
      for (let i = 3; i < 12; i++) level[`web-${i}`] = 50;
      for (const p of tabs) await bell(p, 11);
      const hosts = async () => (await all()).map((s) => s.title + s.body).join().match(/\d+ alerts|on web/g)?.reduce((n, m) => n + (parseInt(m, 10) || 1), 0) ?? 0;
      await poll('all that is new', async () => (await hosts()) >= 9);
      equal(await hosts(), 9, 'each told once, after all tabs were loaded again');
      ok((await all()).length < 9, 'several are told together');
      const holder = (await Promise.all(tabs.map(async (p) => ((await told(p)).length > 0 ? p : null)))).find(Boolean);
      await holder.evaluate(() => globalThis.shown[0].real.dispatchEvent(new Event('click')));
      await poll('a click leads to the alerts', () => new URL(holder.url()).pathname === '/alerts');
      await tabs[0].goto(`${url}/alerts?alert=gone`);
      await tabs[0].getByText('does not fire any more').waitFor();
      await box.uncheck();
      const before = (await all()).length;
      // The rule looks once a second: by the last of these, a notification of the first would have come.
      for (let i = 12; i < 16; i++) {
        level[`web-${i}`] = 50;
        for (const p of tabs) await bell(p, i);
      }
      equal((await all()).length, before, 'switched off, nothing is told');
      for (const p of tabs) {
        equal(p.faults ?? [], [], 'errors on the page');
        equal(await p.evaluate(() => globalThis.cspViolations ?? []), [], 'violations of the policy');
      }
      equal(await violations(page), [], 'violations of the policy');
    } finally {
      clearInterval(tick);
      socket.close();
      await context.close();
    }
  } finally {
    await master.stop();
    rmSync(dir, { recursive: true, force: true });
  }
});
