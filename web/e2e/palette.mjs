// The palette, the keys, and the labels of a host, against the real program.

import { axe, violations } from './browser.mjs';
import { equal, ok, poll, test } from './harness.mjs';

test('the palette and the keys lead everywhere', async ({ browser, dev }) => {
  const page = await browser.page();
  await page.goto(dev);
  const host = await page.locator('.panel h2 a').first().textContent();
  await page.locator('.inspectors, .panel live-chart').first().waitFor();
  const field = page.getByRole('combobox');
  const choose = async (text, kind) => {
    await page.keyboard.press('Control+k');
    await field.fill(text);
    await page.locator('[role="option"][aria-selected="true"]', { hasText: kind }).waitFor();
    equal(await axe(page), [], 'axe');
    await page.keyboard.press('Enter');
    await poll('it closes', async () => (await field.count()) === 0);
  };
  await choose(host, 'host');
  await page.locator('h1', { hasText: host }).waitFor();
  await choose('last 15 min', 'action');
  await poll('the window', () => /window=15m/.test(page.url()));
  await choose('cpu', 'inspector');
  await poll('the inspector', () => /\/inspectors\/cpu\?/.test(page.url()));
  await page.keyboard.press('g');
  await page.keyboard.press('h');
  await page.locator('h1', { hasText: 'Hosts' }).waitFor();
  ok(/window=15m/.test(page.url()), 'the window stays');
  await page.keyboard.press('/');
  await poll('the filter has the focus', () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') === 'Filter hosts'));
  await page.keyboard.type('g?');
  equal(await page.getByLabel('Filter hosts').inputValue(), 'g?', 'what is typed there is no command');
  await page.locator('h1').focus();
  await page.keyboard.press('?');
  await page.locator('dialog h2', { hasText: 'Keys' }).waitFor();
  equal(await axe(page), [], 'axe, keys');
  await page.keyboard.press('Escape');
  await poll('they close', async () => (await page.locator('dialog').count()) === 0);
  equal(page.faults, [], 'errors on the page');
  equal(await violations(page), [], 'violations of the policy');
  await page.context().close();
});

test('letters that are typed before the palette has come are not lost', async ({ browser, dev }) => {
  const page = await browser.page();
  let release;
  const held = new Promise((done) => (release = done));
  await page.route('**/palette-*.js', async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(`${dev}/hosts`);
  await page.locator('.rows-body [data-host]').first().waitFor();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('gh?audit');
  release();
  const field = page.locator('dialog').getByRole('combobox');
  await field.waitFor();
  equal(await field.inputValue(), 'gh?audit', 'what was typed');
  await field.press('Control+a');
  await page.keyboard.type('audit');
  await page.locator('[role="option"][aria-selected="true"]', { hasText: 'Audit' }).waitFor();
  await page.keyboard.press('Enter');
  await poll('the audit log', () => /\/audit(\?|$)/.test(page.url()));
  equal(page.faults, [], 'errors on the page');
  await page.context().close();
});

test('a host is labelled on its page, and found by the label', async ({ browser, dev }) => {
  const page = await browser.page();
  await page.goto(dev);
  const host = await page.locator('.panel h2 a').first().textContent();
  await page.locator('.panel h2 a').first().click();
  await page.getByLabel('New label').fill('role=<b>');
  await page.keyboard.press('Enter');
  await page.locator('.host-labels [role="alert"]', { hasText: 'name=value' }).waitFor();
  await page.getByLabel('New label').fill('role=tested');
  await page.keyboard.press('Enter');
  await page.locator('.host-labels a', { hasText: 'role=tested' }).click();
  await page.locator(`.rows-body [data-host="${host}"]`, { hasText: 'role=tested' }).waitFor();
  await page.goBack();
  await page.getByRole('button', { name: 'Remove the label role' }).click();
  await poll('it is gone', async () => (await page.locator('.host-labels a').count()) === 0);
  await page.locator('.group h2', { hasText: 'cpu' }).first().waitFor();
  equal(await page.locator('[data-inspector="cpu"] .badge').textContent(), 'host’s own', 'where the inspector comes from');
  equal(page.faults, [], 'errors on the page');
  equal(await violations(page), [], 'violations of the policy');
  await page.context().close();
});
