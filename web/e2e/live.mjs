// Against the real program: one master with one agent on this machine.

import { readFileSync } from 'node:fs';
import { axe, violations } from './browser.mjs';
import { Child, drawnPixels, equal, ok, poll, test } from './harness.mjs';

/** The newest value of a series, read off the chart's own data. */
const newest = (page, key, labels = {}) =>
  page.evaluate(
    ([k, l]) => {
      for (const chart of document.querySelectorAll('live-chart')) {
        const series = chart.series.find((s) => s.key === k && JSON.stringify(s.labels) === l);
        if (series) return { time: series.times.at(-1), value: series.values.at(-1), count: series.times.length };
      }
      return null;
    },
    [key, JSON.stringify(labels)],
  );

const linkState = (page) => page.locator('.link').getAttribute('data-link');

test('the first chart comes at once, through one WebSocket', async ({ browser, dev }) => {
  const page = await browser.page();
  const begin = performance.now();
  await page.goto(dev);
  await poll('a line on a canvas', () => drawnPixels(page, 'live-chart[data-chart="load"] canvas'), { pause: 25, times: 400 });
  console.log(`      first line after ${Math.round(performance.now() - begin)} ms`);
  equal(await linkState(page), 'live', 'the link');
  await poll('three samples', async () => (await newest(page, 'load/average-1'))?.count >= 3);
  equal(page.sockets, 1, 'WebSockets');
  equal(page.faults, [], 'errors on the page');
  equal(await violations(page), [], 'violations of the policy');
  await page.context().close();
});

test('charts show what /proc says', async ({ browser, dev }) => {
  const page = await browser.page();
  await page.goto(dev);
  const meminfo = (name) => 1024 * Number(readFileSync('/proc/meminfo', 'utf8').match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))[1]);
  // The load changes every five seconds, in between it is the same number.
  await poll('the load of /proc/loadavg', async () => {
    const drawn = await newest(page, 'load/average-1');
    return drawn && Math.abs(drawn.value - Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0])) < 0.011;
  });
  const total = await poll('memory', () => newest(page, 'memory/total_bytes'));
  equal(total.value, meminfo('MemTotal'), 'memory/total_bytes');
  const size = meminfo('MemTotal');
  await poll('the available memory within 3 %', async () => {
    const drawn = await newest(page, 'memory/available_bytes');
    return Math.abs(drawn.value - meminfo('MemAvailable')) < 0.03 * size;
  });
  const { time } = await newest(page, 'load/average-1');
  ok(Math.abs(Date.now() - time) < 15_000, 'the newest sample is of now');
  await page.context().close();
});

test('every kind of built-in inspector has its chart', async ({ browser, dev }) => {
  const page = await browser.page();
  await page.goto(dev);
  for (const chart of ['load', 'cpu', 'memory', 'disk', 'network', 'processes', 'tcp', 'uptime']) {
    await page.locator(`live-chart[data-chart="${chart}"]`).first().waitFor({ state: 'attached' });
  }
  const own = page.locator('details.own');
  equal(await own.getAttribute('open'), null, 'our own measurements are folded');
  equal(await own.locator('live-chart').count(), 0, 'and weigh nothing');
  await own.locator('summary').click();
  await own.locator('live-chart').first().waitFor();
  await page.context().close();
});

test('the page of a host, by a link and by its address', async ({ browser, dev }) => {
  const page = await browser.page();
  await page.goto(dev);
  const name = await page.locator('.panel h2 a').first().textContent();
  await page.locator('.panel h2 a').first().click();
  await page.locator('h1', { hasText: name }).waitFor();
  await poll('focus on the heading', () => page.evaluate(() => document.activeElement?.tagName === 'H1'));
  await poll('the name of the host in the title', async () => (await page.title()).includes(name)); // after the number of problems, if there are any
  await page.reload();
  const row = page.locator('tr[data-inspector="load/average-1"]');
  await row.waitFor();
  await poll('load/average-1 is ok', async () => (await row.locator('td').nth(0).textContent()) === 'ok');
  const runs = async () => Number((await row.locator('td.number').nth(1).textContent()).replaceAll(',', ''));
  const before = await runs();
  await poll('more runs', async () => (await runs()) > before);
  equal(page.sockets, 2, 'WebSockets: one for each load');
  await page.goBack();
  await page.locator('h1', { hasText: 'Now' }).waitFor();
  equal(page.faults, [], 'errors on the page');
  equal(await violations(page), [], 'violations of the policy');
  await page.context().close();
});

test('pages that do not exist say so', async ({ browser, dev }) => {
  const page = await browser.page();
  await page.goto(`${dev}/hosts/nobody`);
  await page.locator('h1', { hasText: 'No host nobody' }).waitFor();
  await page.goto(`${dev}/no/such/page`);
  await page.locator('h1', { hasText: 'There is no such page' }).waitFor();
  equal((await page.request.get(`${dev}/assets/no.js`)).status(), 404, 'status of a missing asset');
  await page.context().close();
});

for (const colorScheme of ['light', 'dark']) {
  test(`nothing for axe to find (${colorScheme})`, async ({ browser, dev }) => {
    const page = await browser.page({ colorScheme });
    await page.goto(dev);
    await page.locator('live-chart .legend button').first().waitFor();
    equal(await axe(page), [], 'the first page');
    await page.locator('.panel h2 a').first().click();
    await page.locator('.inspectors table').waitFor();
    await page.getByRole('button', { name: 'Table of load' }).click();
    await poll('rows of the table', () => page.locator('live-chart .rows tbody tr').count());
    equal(await axe(page), [], 'the page of a host');
    await page.context().close();
  });
}

test('a lost master is shown, and found again by itself', async ({ browser, vedette }) => {
  let master = new Child(vedette, ['master', '--listen', '127.0.0.1:0']);
  const url = await master.url();
  const agent = new Child(vedette, ['agent', '--master', url, '--host', 'lost-and-found']);
  const page = await browser.page();
  try {
    await page.goto(url);
    await poll('samples', async () => (await newest(page, 'load/average-1'))?.count >= 2);
    await master.stop('SIGKILL');
    await poll('the loss is shown', async () => ['reconnecting', 'unreachable'].includes(await linkState(page)));
    await poll('the countdown', async () => /reconnecting in \d+ s|next try in \d+ s/.test(await page.locator('.link').textContent()));
    ok((await page.locator('live-chart').count()) > 0, 'the charts stay');
    equal(await page.locator('.condition').first().textContent(), 'up when last heard', 'the condition of the host');
    const before = await newest(page, 'load/average-1');
    master = new Child(vedette, ['master', '--listen', new URL(url).host]);
    await master.url();
    await poll('live again', async () => (await linkState(page)) === 'live', { times: 600 });
    const after = await poll(
      'newer samples',
      async () => {
        const now = await newest(page, 'load/average-1');
        ok(now, 'the charts stay while the agent is still on its way');
        return now.time > before.time && now;
      },
      { times: 600 },
    );
    ok(after.count > before.count, 'the samples from before are still there');
    equal(page.faults, [], 'errors on the page');
  } finally {
    await agent.stop();
    await master.stop();
    await page.context().close();
  }
});

test('a host whose agent stops stays on the page as gone', async ({ browser, vedette }) => {
  const master = new Child(vedette, ['master', '--listen', '127.0.0.1:0']);
  const url = await master.url();
  const agent = new Child(vedette, ['agent', '--master', url, '--host', 'leaver']);
  const page = await browser.page();
  try {
    await page.goto(url);
    await page.locator('.panel[data-host="leaver"] live-chart').first().waitFor();
    await agent.stop('SIGKILL');
    const condition = page.locator('.panel[data-host="leaver"] .condition.gone');
    await condition.waitFor();
    ok(/^gone since \d\d:\d\d$/.test(await condition.textContent()), 'and says since when');
    await poll('the title', async () => (await page.title()) === '(1) Now · Vedette');
  } finally {
    await agent.stop();
    await master.stop();
    await page.context().close();
  }
});

test('a chart is boosted while its button is pressed, and what is stored is not', async ({ browser, dev }) => {
  const page = await browser.page();
  await page.goto(dev);
  await page.locator('.panel h2 a').first().click();
  const chart = page.locator('live-chart[data-chart="disk"][data-unit="percent"]');
  const button = chart.getByRole('button', { name: /^Boost/ });
  await button.click();
  equal(await button.getAttribute('aria-pressed'), 'true', 'the button');
  const cell = page.locator('tr[data-inspector="disk"] td.number').first();
  await poll('the interval is told', async () => /, now /.test(await cell.textContent()));
  ok(/^Boost [\d.]+ Hz$/.test(await button.textContent()), `the button says ${await button.textContent()}`);
  // In a row, and drawn at once.
  await poll('samples that are close', () =>
    chart.evaluate((c) => {
      const { times } = c.series[0];
      const drawn = c.drawn.frame.times.at(-1) * 1000;
      return times.length > 6 && times.at(-1) - times.at(-6) < 2_500 && times.at(-1) - drawn < 1_000;
    }),
  );
  equal(await axe(page), [], 'axe');

  await page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await poll('the end while nobody looks', async () => !/, now /.test(await cell.textContent()));
  await page.evaluate(() => {
    delete document.visibilityState;
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await poll('the return', async () => /, now /.test(await cell.textContent()));
  await button.click();
  await poll('the end', async () => !/, now /.test(await cell.textContent()));
  equal(await button.textContent(), 'Boost', 'the button');

  // The samples between are in no history.
  const kept = await page.evaluate(async () => {
    const { start, end } = { start: (Date.now() - 600_000) / 1000, end: Date.now() / 1000 };
    const answer = await fetch(`/api/v1/query?query=max(count_over_time(disk_used_percent[10m]))&start=${start}&end=${end}`);
    return Number((await answer.json()).data.result[0].value[1]);
  });
  const shown = await chart.evaluate((c) => c.series[0].times.length);
  ok(kept < shown / 2, `${kept} samples are stored of ${shown} that were shown`);
  equal(page.faults, [], 'errors on the page');
  await page.context().close();
});
