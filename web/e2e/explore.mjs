// Explore, against the real program: queries, completion, faults, tables, files, links.

import { readFileSync } from 'node:fs';
import { axe, violations } from './browser.mjs';
import { drawnPixels, equal, ok, poll, test } from './harness.mjs';

const content = (page, letter) => page.locator(`[data-query="${letter}"] promql-editor .cm-content`);

/** Replaces what is in a query, as somebody who types does. */
async function write(page, letter, text) {
  await content(page, letter).click();
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Delete');
  await page.keyboard.insertText(text);
}

async function accessible(page, what) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    equal(await axe(page), [], `axe on ${what}, ${colorScheme}`);
  }
}

async function clean(page) {
  equal(page.faults, [], 'errors on the page');
  equal(await violations(page), [], 'violations of the policy');
}

/** What the master itself answers. */
async function answered(dev, query) {
  const body = await (await fetch(`${dev}/api/v1/query?${new URLSearchParams({ query })}`)).json();
  return body.data.result;
}

async function saved(page, press) {
  const [file] = await Promise.all([page.waitForEvent('download'), press()]);
  return readFileSync(await file.path(), 'utf8');
}

test('a query is completed, asked, drawn, and the same in another browser', async ({ browser, dev }) => {
  const page = await browser.page();
  await page.goto(`${dev}/explore`);
  await page.getByRole('heading', { name: 'Explore', exact: true }).waitFor();
  await accessible(page, 'Explore before a query');

  // Names, labels and functions come from what the master has.
  await poll('the master has stored samples', async () => (await answered(dev, 'memory_used_percent')).length > 0);
  await write(page, 'A', '');
  await page.keyboard.type('memory_used_p');
  await page.locator('promql-editor .cm-tooltip-autocomplete li', { hasText: 'memory_used_percent' }).waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.type('ercent{ho');
  await page.locator('promql-editor .cm-tooltip-autocomplete li', { hasText: 'host' }).first().waitFor();
  await page.keyboard.press('Escape');
  await write(page, 'A', '');
  await page.keyboard.type('histogram_q');
  await page.locator('promql-editor .cm-tooltip-autocomplete li', { hasText: 'histogram_quantile' }).first().waitFor();
  await accessible(page, 'completion');
  await page.keyboard.press('Escape');

  await write(page, 'A', 'memory_used_percent');
  await page.keyboard.press('Enter');
  await page.locator('[data-found="1"] query-chart canvas').waitFor();
  await poll('lines', async () => (await drawnPixels(page, 'query-chart canvas')) > 20);

  // A second query on the same time.
  await page.getByRole('button', { name: 'Add a query' }).click();
  await write(page, 'B', 'load_average_1 * 2');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.locator('[data-found="2"]').waitFor();
  await accessible(page, 'two queries');
  await poll('what is drawn is what the history has', async () => {
    const { lines, values } = await page.evaluate(() => {
      const { lines, frame } = document.querySelector('query-chart').drawn;
      return { lines, values: frame.columns.map((c) => c.filter((v) => typeof v === 'number').at(-1)) };
    });
    const [{ value }] = await answered(dev, 'memory_used_percent');
    return lines.length === 2 && lines[0].startsWith('memory_used_percent{') && Math.abs(values[0] - Number(value[1])) < 20;
  });

  // A line is hidden, and the address says so.
  await page.locator('query-chart .legend button').nth(1).click();
  await poll('the address', () => /hide=/.test(page.url()));
  const other = await browser.page();
  await other.goto(page.url());
  await other.locator('[data-found="2"] query-chart .legend button[aria-pressed="false"]').waitFor();
  equal(await content(other, 'A').textContent(), 'memory_used_percent', 'the first query elsewhere');
  equal(await content(other, 'B').textContent(), 'load_average_1 * 2', 'the second query elsewhere');
  await other.context().close();

  // What was asked is remembered, and the browser's way back works.
  await page.getByText('History', { exact: true }).click();
  await page.locator('.past code', { hasText: 'load_average_1 * 2' }).waitFor();
  await page.keyboard.press('Escape');
  await page.goBack();
  await poll('one query', async () => (await page.locator('[data-query]').count()) === 1);
  await clean(page);
  await page.context().close();
});

test('a fault of a query stands at its place, and does not hold up the others', async ({ browser, dev }) => {
  const page = await browser.page();
  await page.goto(`${dev}/explore?${new URLSearchParams({ q: 'sum(load_average_1', q2: 'load_average_1' })}`);
  await page.locator('[data-query="A"] [role="alert"]').waitFor();
  await page.locator('promql-editor :is(.cm-lintRange-error, .cm-lintPoint-error)').first().waitFor();
  await page.locator('[data-found="1"] query-chart canvas').waitFor();
  await page.locator('[data-query="A"] [role="alert"] button').click();
  ok(await page.evaluate(() => document.activeElement?.tagName === 'PROMQL-EDITOR'), 'the cursor is in the query');
  await accessible(page, 'a fault');
  // What is longer than the master takes is refused with its words.
  await page.goto(`${dev}/explore?${new URLSearchParams({ q: 'no_such_metric_at_all' })}`);
  await page.locator('[data-found="0"]', { hasText: 'No series has values' }).waitFor();
  // Markup in a label or a query stays text.
  const hostile = '<img src=x onerror="globalThis.bad=1">';
  await page.goto(`${dev}/explore?${new URLSearchParams({ q: `label_replace(load_average_1, "evil", ${JSON.stringify(hostile)}, "", "")`, as: 'table' })}`);
  await page.locator('[data-found="1"] td', { hasText: 'onerror' }).waitFor();
  equal(await page.evaluate(() => globalThis.bad), undefined, 'what a label ran');
  await clean(page);
  await page.context().close();
});

test('values are a table, which is saved as it is', async ({ browser, dev }) => {
  const page = await browser.page({ viewport: { width: 390, height: 800 } });
  await poll('interfaces', async () => (await answered(dev, 'network_receive_bytes_total')).length > 0);
  await page.goto(`${dev}/explore?${new URLSearchParams({ q: 'network_receive_bytes_total', as: 'table' })}`);
  const want = (await answered(dev, 'network_receive_bytes_total')).map((s) => s.metric.interface).sort();
  await page.locator(`[data-found="${want.length}"] table`).waitFor();
  await accessible(page, 'a table');
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  ok(wide <= 0, `the page is ${wide} px wider than the screen`);
  const text = await saved(page, () => page.getByRole('button', { name: 'CSV' }).click());
  const [head, ...rows] = text.trim().split('\r\n').map((line) => line.split(','));
  const at = head.indexOf('interface');
  equal(rows.map((r) => r[at]).sort(), want, 'the interfaces in the file');
  ok(rows.every((r) => Number(r.at(-1)) >= 0), 'a value in each row');
  await clean(page);
  await page.context().close();
});

test('a chart opens in Explore with its own lines, and is saved', async ({ browser, dev }) => {
  const page = await browser.page();
  await page.goto(dev);
  await page.locator('.panel h2 a').first().click();
  const chart = page.locator('live-chart[data-chart="network"][data-unit="bytes/s"]').first();
  await chart.scrollIntoViewIfNeeded();
  await chart.locator('canvas').waitFor();
  await poll('growth', () => chart.evaluate((c) => c.drawn.frame.columns.some((column) => column.some((v) => typeof v === 'number'))));
  const lines = await chart.evaluate((c) => c.chart.series.length);
  await chart.getByRole('button', { name: 'More of network' }).click();
  await page.locator('.chart-menu').waitFor();
  await accessible(page, 'the list of a chart');
  const text = await saved(page, () => page.locator('.chart-menu button', { hasText: 'Save as CSV' }).click());
  ok(text.startsWith('time,') && text.split('\r\n').length > 2, `what was saved: ${text.slice(0, 80)}`);
  await poll('the list to close', async () => (await page.locator('.chart-menu').count()) === 0);
  await chart.getByRole('button', { name: 'More of network' }).click();
  await page.locator('.chart-menu a', { hasText: 'Open in Explore' }).click();
  await poll('its lines', async () => Number(await page.locator('.found').getAttribute('data-found').catch(() => 0)) >= lines);
  ok(/rate\(/.test(await content(page, 'A').textContent()), 'growth is asked for as growth');
  equal(page.sockets, 1, 'WebSockets');
  await clean(page);
  await page.context().close();
});
