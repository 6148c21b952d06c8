// Takes the screenshots of docs/web.md, but for those that tests take (Alerts, Ask, Members):
// made-up hosts, forty that report one value, and two agents on this machine with a probe
// that is tried and pushed. The first argument names another folder, a second one of the parts
// below alone.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBrowser } from './browser.mjs';
import { FakeHost, FakeMaster, demoHosts } from './fake-master.mjs';
import { buildVedette, Child, poll, repository } from './harness.mjs';
import { startMesh } from './mesh.mjs';

const folder = process.argv[2] ?? join(repository, 'docs/web');
mkdirSync(folder, { recursive: true });
const shoot = (page, name) => page.screenshot({ path: join(folder, `${name}.png`) });
const samples = (page, chart) => page.evaluate((c) => document.querySelector(`live-chart[data-chart="${c}"]`)?.series[0].times.length ?? 0, chart);

/** Now and hosts: twelve that are made up, with one of each trouble. */
async function madeUp(browser) {
  const gauge = (key, at, labels) => [key, labels, 'gauge', 1, at];
  const more = [gauge('http/up', (t) => (Math.floor(t) % 17 < 3 ? 0 : 1), { url: 'https://a.example' }), gauge('kernel/info', () => 1, { release: '6.12.57-amd64' })];
  const hosts = demoHosts(12);
  hosts[1] = new FakeHost('web-1', { extra: { labels: { role: 'web' } } });
  hosts[1].series.push(...more);
  const master = await new FakeMaster({ hosts }).listen();
  const page = await browser.page({ viewport: { width: 1120, height: 620 }, colorScheme: 'light' });
  await page.goto(master.url);
  await page.locator('.wrong li').nth(2).waitFor();
  await page.locator('.busiest li').nth(3).waitFor();
  await shoot(page, 'now');
  await page.setViewportSize({ width: 390, height: 780 });
  await shoot(page, 'phone');
  await page.setViewportSize({ width: 1280, height: 620 });
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto(`${master.url}/hosts?sort=-wrong`);
  await page.locator('.rows-body [data-host]').nth(5).waitFor();
  await poll('sparklines', async () => (await page.locator('.rows-body .spark path[d]').count()) > 5);
  await new Promise((done) => setTimeout(done, 60_000)); // so that they have something to show
  await shoot(page, 'hosts-dark');
  await page.context().close();
  await master.close();
}

/** Forty hosts that report one value, as ten-line agents do. */
async function compared(browser, vedette) {
  const master = new Child(vedette.path, ['master', '--listen', '127.0.0.1:0']);
  const url = await master.url();
  const page = await browser.page({ colorScheme: 'dark' });
  await page.goto(`${url}/compare?keys=shop/queue&window=1m`);
  await page.evaluate(async () => {
    const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/rpc`, 'vedette.v1.json');
    await new Promise((done) => socket.addEventListener('open', done));
    let id = 0;
    setInterval(() => {
      for (let i = 0; i < 40; i++) {
        const jam = i % 9 === 0 ? 40 * Math.max(0, Math.sin(Date.now() / 9000)) : 0;
        const val = Math.max(0, 12 + i / 2 + jam + 6 * Math.sin(Date.now() / 4000 + i) + 2 * Math.random());
        socket.send(JSON.stringify({ jsonrpc: '2.0', id: ++id, method: 'master.reportMetric', params: [`shop-${i}`, { ts: Date.now(), key: 'shop/queue', val }] }));
      }
    }, 1000);
  });
  await poll('forty rows', async () => (await page.evaluate(() => document.querySelector('heat-map')?.drawn.rows.length ?? 0)) === 40);
  await new Promise((done) => setTimeout(done, 65_000)); // so that the minute is full
  await shoot(page, 'compare');
  await page.context().close();
  await master.stop();
}

const rules = `
groups:
  - name: tour
    interval: 1s
    rules:
      - { alert: shop/slow, expr: 'label_replace(vector(time()) % 60 < 18, "host", "db-1", "", "")', labels: { severity: critical } }
`;

/** The pages of inspectors, a host, a board and Explore: two agents on this machine. */
async function work(browser, vedette) {
  const dir = mkdtempSync(join(tmpdir(), 'vedette-tour-'));
  writeFileSync(join(dir, 'rules.yaml'), rules);
  writeFileSync(join(dir, 'master.yaml'), 'master:\n  alerts: { built_in: false, rules: [rules.yaml] }\n');
  const mesh = await startMesh(vedette.path, ['db-1', 'db-2'], { master: ['--config', join(dir, 'master.yaml')] });
  try {
    await show(browser, mesh.url);
  } finally {
    await mesh.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function show(browser, url) {
  const page = await browser.page({ viewport: { width: 1280, height: 860 }, colorScheme: 'light' });
  await page.goto(`${url}/editor?window=1m`);
  await page.locator('[data-checked="0"]').waitFor();
  await page.getByRole('button', { name: 'Parse a /proc file' }).click();
  await page.getByRole('heading', { name: 'Push pressure' }).waitFor();
  await page.locator('[data-checked="0"]').waitFor();
  await page.locator('.try').getByLabel('On hosts with these labels').fill('role=db');
  await page.getByRole('button', { name: 'Try', exact: true }).click();
  await poll('ten runs', async () => /1\d runs/.test(await page.locator('.try .plain-list').textContent()), { times: 120, pause: 500 });
  await shoot(page, 'editor');
  await page.locator('.push-panel').getByLabel('Message').fill('see who waits');
  await page.getByRole('button', { name: 'Push', exact: true }).click();
  await page.locator('.rollout[data-state="done"]').waitFor();
  await page.goto(`${url}/inspectors/pressure`);
  await poll('samples', async () => (await page.locator('live-chart').count()) > 0);
  await page.locator('.code').waitFor();
  await page.emulateMedia({ colorScheme: 'dark' });
  await shoot(page, 'inspector');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto(`${url}/hosts/db-1?window=2m`);
  await poll('a minute of samples', async () => (await samples(page, 'load')) > 60, { times: 300, pause: 1000 });
  await page.locator('live-chart[data-chart="pressure"]').scrollIntoViewIfNeeded();
  await page.locator('live-chart[data-chart="pressure"] .marks a[href="/alerts"]').first().waitFor();
  await shoot(page, 'host');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto(`${url}/boards/one-host?window=1m`);
  await poll('charts of the board', async () => (await page.locator('.board-panel canvas').count()) >= 4);
  await shoot(page, 'board');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto(`${url}/explore?window=1m&q=cpu_used_percent&q2=memory_used_percent`);
  await page.locator('query-chart canvas').waitFor();
  await shoot(page, 'explore');
  await page.setViewportSize({ width: 390, height: 780 });
  await page.goto(`${url}/inspectors`);
  await page.locator('tr[data-row="pressure"]').waitFor();
  await shoot(page, 'inspectors-phone');
  await page.context().close();
}

const parts = { madeUp, compared, work };
const vedette = buildVedette();
const browser = await startBrowser();
try {
  for (const [name, part] of Object.entries(parts)) if (!process.argv[3] || process.argv[3] === name) await part(browser, vedette);
} finally {
  await browser.close();
  vedette.remove();
}
