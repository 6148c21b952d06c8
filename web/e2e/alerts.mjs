// Alerts: what fires, on its page, in the rail and on the first page; acknowledged
// and silenced by one press.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { axe, violations } from './browser.mjs';
import { Child, equal, ok, test } from './harness.mjs';

const config = `
master:
  alerts:
    built_in: false
    rules: [rules.yaml]
    notify: { ops: { webhook: "http://127.0.0.1:1/" } }
`;
const rules = `
groups:
  - name: g
    interval: 1s
    rules:
      - { alert: level/high, expr: 'label_replace(vector(1), "host", "web-1", "", "")', annotations: { summary: "<b>high</b>" }, labels: { severity: critical } }
      - { alert: level/low, expr: 'label_replace(vector(1), "host", "web-2", "", "")' }
`;

test('what fires is told on the page, and is quiet after one press', async ({ browser, vedette }) => {
  const dir = mkdtempSync(join(tmpdir(), 'vedette-alerts-'));
  writeFileSync(join(dir, 'master.yaml'), config);
  writeFileSync(join(dir, 'rules.yaml'), rules);
  const master = new Child(vedette, ['master', '--listen', '127.0.0.1:0', '--config', join(dir, 'master.yaml')]);
  const agent = new Child(vedette, ['agent', '--master', await master.url(), '--host', 'web-1']);
  try {
    const page = await browser.page();
    await page.goto(await master.url());
    await page.locator('[data-problem="alert level/high"]', { hasText: '<b>high</b>' }).waitFor();
    const bell = page.locator('.rail a[data-page="alerts"]');
    await bell.locator('b', { hasText: '2' }).waitFor();
    await bell.click();
    const row = (name) => page.locator('[aria-label="Alerts"] tbody tr', { hasText: name });
    await row('level/high').getByText('ops (failed').waitFor();
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      equal(await axe(page), [], `axe, ${colorScheme}`);
    }
    await row('level/high').getByRole('button', { name: 'Acknowledge' }).click();
    await row('level/high').getByText('acknowledged by').waitFor();
    await bell.locator('b', { hasText: '1' }).waitFor();
    await row('level/low').getByRole('button', { name: 'Silence 1 h' }).click();
    await row('level/low').getByText('silenced by').waitFor();
    await bell.locator('b').waitFor({ state: 'detached' });
    if (process.env.SHOTS) {
      await page.setViewportSize({ width: 1280, height: 520 });
      await page.screenshot({ path: `${process.env.SHOTS}/alerts.png` });
    }
    const silent = page.locator('[aria-label="Silences"] tbody tr', { hasText: 'alertname="level/low"' });
    await silent.getByRole('button', { name: 'End' }).click();
    await silent.waitFor({ state: 'detached' });
    await bell.locator('b', { hasText: '1' }).waitFor();
    await page.setViewportSize({ width: 390, height: 800 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    ok(wide <= 0, `the page is ${wide} px wider than the screen`);
    equal(await axe(page), [], 'axe on a phone');
    equal(page.faults, [], 'errors on the page');
    equal(await violations(page), [], 'violations of the policy');
    await page.context().close();
  } finally {
    await agent.stop();
    await master.stop();
    rmSync(dir, { recursive: true, force: true });
  }
});
