// The audit log: what one does on the page is a line of it, with a link.

import { axe, violations } from './browser.mjs';
import { equal, ok, test } from './harness.mjs';

test('what was done is a line of the audit log, and leads to what it is about', async ({ browser, dev }) => {
  const page = await browser.page();
  await page.goto(`${dev}/hosts`);
  const host = await page.locator('.rows-body [data-host]').first().getAttribute('data-host');
  await page.goto(`${dev}/hosts/${host}`);
  await page.getByLabel('New label').fill('shelf=<i>7');
  await page.getByLabel('New label').fill('shelf=upper & 7');
  await page.keyboard.press('Enter');
  await page.locator('.host-labels a', { hasText: 'shelf=upper & 7' }).waitFor();
  await page.locator('.rail a', { hasText: 'Audit' }).click();
  const line = page.locator('[aria-label="Audit log"] tbody tr', { hasText: 'hosts.label' }).first();
  await line.waitFor();
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    equal(await axe(page), [], `axe, ${colorScheme}`);
  }
  await page.getByLabel('Filter the audit log').fill('label no-such-word');
  await page.getByText('No line matches.').waitFor();
  await page.getByLabel('Filter the audit log').fill(`label ${host}`);
  await line.waitFor();
  const other = await browser.page({ viewport: { width: 390, height: 800 } });
  await other.goto(page.url());
  await other.locator('[aria-label="Audit log"] tbody tr', { hasText: host }).first().waitFor();
  equal(await other.getByLabel('Filter the audit log').inputValue(), `label ${host}`, 'the filter elsewhere');
  const wide = await other.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  ok(wide <= 0, `the page is ${wide} px wider than the screen`);
  equal(await axe(other), [], 'axe on a phone');
  await other.context().close();
  await line.locator('a').click();
  await page.locator('h1', { hasText: host }).waitFor();
  await page.getByRole('button', { name: 'Remove the label shelf' }).click();
  equal(page.faults, [], 'errors on the page');
  equal(await violations(page), [], 'violations of the policy');
  await page.context().close();
});
