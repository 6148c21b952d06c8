// Hosts side by side: a few with a line each, many as a heat map.

import { axe, violations } from './browser.mjs';
import { Child, drawnPixels, equal, ok, poll, test } from './harness.mjs';
import { startMesh } from './mesh.mjs';

async function accessible(page, what) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    equal(await axe(page), [], `axe on ${what}, ${colorScheme}`);
  }
}

/** Reports a value of its own for each of many hosts, as a ten-line agent does. */
async function manyHosts(page, url, names) {
  await page.goto(url);
  await page.evaluate(async (names) => {
    const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/rpc`, 'vedette.v1.json');
    await new Promise((done) => socket.addEventListener('open', done));
    let id = 0;
    globalThis.reporting = setInterval(() => {
      names.forEach((host, i) => socket.send(JSON.stringify({ jsonrpc: '2.0', id: ++id, method: 'master.reportMetric', params: [host, { ts: Date.now(), key: 'shop/queue', val: i }] })));
    }, 1000);
  }, names);
}

test('hosts are chosen, compared line by line, labelled, and the label taken back', async ({ browser, vedette }) => {
  const mesh = await startMesh(vedette, ['db-1', 'db-2', 'db-3']);
  const page = await browser.page();
  try {
    await page.goto(`${mesh.url}/hosts`);
    await page.getByLabel('Choose db-1').check();
    await page.getByLabel('Choose db-3').check();
    await page.locator('.selection[data-chosen="2"]').waitFor();
    await accessible(page, 'hosts that are chosen');
    await page.getByLabel('Label them').fill('shelf=7');
    await page.keyboard.press('Enter');
    await page.locator('.rows-body [data-host="db-3"]', { hasText: 'shelf=7' }).waitFor();
    ok(!/shelf=7/.test(await page.locator('.rows-body [data-host="db-2"]').textContent()), 'a host that was not chosen is labelled');
    await page.locator('.selection').getByRole('button', { name: 'Undo' }).click();
    await poll('the label is gone', async () => !/shelf=7/.test(await page.locator('.rows-body').textContent()));
    await page.locator('.selection').getByRole('link', { name: 'Compare' }).click();
    const load = page.locator('[data-key="load/average-1"]');
    await poll('two lines', async () => (await load.locator('.legend button').count()) === 2);
    equal((await load.locator('.legend span').allTextContents()).sort(), ['db-1', 'db-3'], 'names of lines');
    await poll('lines', async () => (await drawnPixels(page, '[data-key="load/average-1"] canvas')) > 10);
    await page.getByLabel('Key to compare').fill('uptime/seconds');
    await page.keyboard.press('Enter');
    await page.locator('[data-key="uptime/seconds"]').scrollIntoViewIfNeeded();
    await page.locator('[data-key="uptime/seconds"] .legend button').first().waitFor();
    await accessible(page, 'hosts that are compared');
    const other = await browser.page({ viewport: { width: 390, height: 800 } });
    await other.goto(page.url());
    await poll('the same elsewhere', async () => (await other.locator('[data-key="load/average-1"] .legend button').count()) === 2);
    const wide = await other.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    ok(wide <= 0, `the page is ${wide} px wider than the screen`);
    await other.context().close();
    // What is chosen goes along to the editor and to the question.
    await page.goto(`${mesh.url}/hosts?sel=db-2`);
    await page.locator('.selection').getByRole('link', { name: 'Ask them' }).click();
    await poll('the selector', async () => (await page.getByLabel('On hosts with these labels').inputValue()) === 'host=db-2');
    equal(page.faults, [], 'errors on the page');
    equal(await violations(page), [], 'violations of the policy');
  } finally {
    await page.context().close();
    await mesh.stop();
  }
});

test('many hosts are a heat map and a band, and a click opens the host', async ({ browser, vedette }) => {
  const master = new Child(vedette, ['master', '--listen', '127.0.0.1:0']);
  const url = await master.url();
  const reporter = await browser.page();
  const page = await browser.page();
  const names = Array.from({ length: 40 }, (_, i) => `shop-${i}`);
  try {
    await manyHosts(reporter, url, names);
    await page.goto(`${url}/compare?keys=shop/queue&window=1m`);
    await poll('rows', async () => (await page.evaluate(() => document.querySelector('heat-map')?.drawn.rows.length ?? 0)) === 40);
    const rows = await page.evaluate(() => document.querySelector('heat-map').drawn.rows.map((r) => [r.host, r.mean]));
    equal(rows[0], ['shop-39', 39], 'the highest is first');
    equal(rows[39], ['shop-0', 0], 'the lowest is last');
    await poll('it is drawn', async () => (await drawnPixels(page, 'heat-map canvas')) > 20);
    await page.locator('band-chart canvas').waitFor();
    await accessible(page, 'a heat map');
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/compare.png` });
    await page.locator('heat-map canvas').focus();
    await page.keyboard.press('End');
    await page.locator('heat-map .hint', { hasText: 'shop-39: 39' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.locator('heat-map .hint', { hasText: 'shop-38' }).waitFor();
    await page.locator('heat-map canvas').click({ position: { x: 30, y: 2 } });
    await page.locator('h1', { hasText: 'shop-39' }).waitFor();
    equal(page.faults, [], 'errors on the page');
    equal(await violations(page), [], 'violations of the policy');
  } finally {
    await page.context().close();
    await reporter.context().close();
    await master.stop();
  }
});
