// The table of hosts: made-up ones by the thousand, and real ones.

import { axe, violations } from './browser.mjs';
import { FakeMaster, demoHosts } from './fake-master.mjs';
import { Child, equal, ok, poll, test } from './harness.mjs';

const rows = (page) => page.locator('.rows-body [data-host]');
const shown = (page) => page.locator('.hosts').getAttribute('data-shown');

async function withHosts(browser, count, run, options) {
  const master = await new FakeMaster({ hosts: demoHosts(count) }).listen();
  const page = await browser.page(options);
  try {
    await page.goto(`${master.url}/hosts`);
    await poll('its hosts', async () => Number(await shown(page).catch(() => 0)) === count);
    await run(page, master);
    equal(page.faults, [], 'errors on the page');
    equal(await violations(page), [], 'violations of the policy');
  } finally {
    await page.context().close();
    await master.close();
  }
}

test('a thousand hosts are a table of which only the screen weighs', async ({ browser }) => {
  await withHosts(browser, 1000, async (page) => {
    ok((await rows(page).count()) < 80, `${await rows(page).count()} rows are in the document`);
    await poll('values', async () => /%/.test(await rows(page).first().locator('[data-column="cpu"]').textContent()));
    // Scrolls through all of it, and notes the longest time between two frames.
    const longest = await page.evaluate(async () => {
      const gaps = [];
      let before = performance.now();
      const height = document.documentElement.scrollHeight;
      for (let y = 0; y < height; y += 400) {
        scrollTo(0, y);
        await new Promise((done) => requestAnimationFrame(done));
        const now = performance.now();
        gaps.push(now - before);
        before = now;
      }
      return gaps.sort((a, b) => b - a).slice(0, 3);
    });
    console.log(`      the longest frames while scrolling: ${longest.map((g) => g.toFixed(0)).join(', ')} ms`);
    await page.locator('.rows-body [data-host="web-10"]').waitFor();
    ok((await rows(page).count()) < 80, 'and after scrolling');
  });
});

test('hosts are sorted, filtered, grouped, and the address shows the same elsewhere', async ({ browser }) => {
  await withHosts(browser, 12, async (page, master) => {
    const first = () => rows(page).first().getAttribute('data-host');
    await page.getByRole('button', { name: 'What is wrong' }).click();
    await poll('the worst first', async () => (await first()) === 'web-2');
    ok(/gpu failing/.test(await rows(page).first().textContent()), 'and what is wrong with it');
    await page.getByLabel('Filter hosts').fill('role=db');
    await poll('one host', async () => (await shown(page)) === '1');
    await page.getByLabel('Filter hosts').fill('gpu failing');
    await poll('the sick one', async () => (await shown(page)) === '1' && (await first()) === 'web-2');
    await page.getByLabel('Filter hosts').fill('!role');
    await poll('those without the label', async () => (await shown(page)) === '11');
    await page.getByLabel('Group by').selectOption('role');
    await page.locator('.tools .menu summary').click();
    await page.getByLabel('Key of another column').fill('tcp/established');
    await page.keyboard.press('Enter');
    await poll('its value', async () => /\d/.test(await rows(page).first().locator('[data-column="tcp/established"]').textContent()));
    equal(await axe(page), [], 'axe');
    const other = await browser.page();
    await other.goto(page.url());
    await poll('the same elsewhere', async () => (await other.locator('.hosts').getAttribute('data-shown').catch(() => '')) === '11');
    equal(await other.locator('.group-row').count(), 1, 'groups');
    await other.locator('.rows-body [data-column="tcp/established"]').first().waitFor();
    await other.context().close();
    await page.getByLabel('Filter hosts').fill('nothing like it');
    await page.getByText('No host has ').waitFor();
    ok(master.url, 'the master is there');
  });
});

for (const colorScheme of ['light', 'dark']) {
  test(`the table of hosts on a phone has nothing for axe (${colorScheme})`, async ({ browser }) => {
    const phone = { viewport: { width: 390, height: 800 }, colorScheme };
    await withHosts(
      browser,
      12,
      async (page) => {
        await rows(page).first().waitFor();
        equal(await axe(page), [], 'axe');
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        ok(wide <= 0, `the page is ${wide} px wider than the screen`);
      },
      phone,
    );
  });
}

test('what is wrong stands on the first page: an agent that dies, an inspector that fails', async ({ browser, vedette }) => {
  const master = new Child(vedette, ['master', '--listen', '127.0.0.1:0']);
  const url = await master.url();
  const agents = ['a', 'b'].map((host) => new Child(vedette, ['agent', '--master', url, '--host', host]));
  const page = await browser.page();
  try {
    await page.goto(url);
    await page.getByText('Nothing is wrong on 2 hosts.').waitFor();
    equal(await page.locator('link[rel="icon"]').getAttribute('href'), '/favicon.svg', 'the icon');
    equal(await axe(page), [], 'axe, calm');
    await agents[1].stop('SIGKILL');
    const gone = page.locator('[data-problem="gone "]');
    await gone.waitFor();
    ok(/^b is gone/.test(await gone.textContent()), `what it says: ${await gone.textContent()}`);
    ok(/^(for \d|just now)/.test(await gone.locator('.since time').textContent()), 'and since when');
    await poll('the title', async () => (await page.title()) === '(1) Now · Vedette');
    equal(await page.locator('link[rel="icon"]').getAttribute('href'), '/favicon-bad.svg', 'the icon');
    equal(await page.locator('.alarm').textContent(), '1 problem', 'the header');
    await page.locator('.changes', { hasText: 'b went away' }).waitFor();
    equal(await axe(page), [], 'axe, alarmed');
    await page.locator('.rail a', { hasText: 'Hosts' }).click();
    await page.locator('.rows-body [data-host="b"]', { hasText: 'gone' }).waitFor();
    equal(page.faults, [], 'errors on the page');
    equal(await violations(page), [], 'violations of the policy');
  } finally {
    for (const a of agents) await a.stop();
    await master.stop();
    await page.context().close();
  }
});
