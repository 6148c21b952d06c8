// Boards, against a real master: made, filled, arranged, changed by two, opened elsewhere.

import { readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { axe, violations } from './browser.mjs';
import { drawnPixels, equal, ok, poll, test } from './harness.mjs';
import { startMesh } from './mesh.mjs';

async function accessible(page, what) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    equal(await axe(page), [], `axe on ${what}, ${colorScheme}`);
  }
}

const panel = (page, title) => page.locator('.board-panel', { has: page.getByRole('heading', { name: title, exact: true }) });
const place = (page, title) => panel(page, title).getAttribute('data-place');

/** Adds a panel by its form. */
async function add(page, kind, title, what) {
  await page.locator('.edit-bar').getByRole('button', { name: kind, exact: true }).click();
  const form = page.locator('.panel-form');
  await form.getByLabel('Title').fill(title);
  if (kind === 'Text') await form.locator('textarea').fill(what);
  else {
    await form.locator('promql-editor .cm-content').click();
    await page.keyboard.insertText(what);
  }
  await form.getByRole('button', { name: 'Keep' }).click();
  await panel(page, title).waitFor();
}

test('a board is made, arranged, changed by two, and the same elsewhere', async ({ browser, vedette }) => {
  const mesh = await startMesh(vedette, ['db-1', 'db-2']);
  const page = await browser.page();
  const hostile = '<img src=x onerror="globalThis.bad=1">';
  try {
    await page.goto(`${mesh.url}/boards`);
    await page.locator('tr[data-row="fleet"]').waitFor();
    await page.locator('tr[data-row="one-host"]').waitFor();
    await accessible(page, 'the list of boards');
    await page.getByLabel('Title of a new board').fill(`Team ${hostile}`);
    await page.getByRole('button', { name: 'Make', exact: true }).click();
    await page.getByText('Nothing is pinned here yet').waitFor();
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await add(page, 'Chart', 'Load', 'load_average_1{host=~"$host"}');
    await add(page, 'Number', 'Memory', 'memory_used_percent{host="db-1"}');
    await add(page, 'Table', 'Uptimes', 'uptime_seconds');
    await add(page, 'Text', 'Words', `see ${hostile}`);
    await page.getByText('Variables', { exact: true }).click();
    await page.getByLabel('A label, such as host').fill('host');
    await page.keyboard.press('Enter');
    await page.getByLabel('host', { exact: true }).waitFor();
    await page.getByText('Variables', { exact: true }).click();
    await accessible(page, 'a board that is changed');

    // Arranged by keys and by drag, and undone.
    equal(await place(page, 'Load'), '0 0 6 6', 'where the first panel stands');
    await panel(page, 'Load').locator('.grip').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Shift+ArrowDown');
    await poll('it moved and grew', async () => (await place(page, 'Load')) === '1 0 6 7');
    await page.getByRole('button', { name: 'Undo' }).click();
    await poll('it is smaller again', async () => (await place(page, 'Load')) === '1 0 6 6');
    const grip = await panel(page, 'Memory').locator('.grip').boundingBox();
    const before = await place(page, 'Memory');
    await page.mouse.move(grip.x + 4, grip.y + 8);
    await page.mouse.down();
    await page.mouse.move(grip.x + 4, grip.y + 8 + 400, { steps: 6 });
    await page.mouse.up();
    await poll('it was dragged', async () => (await place(page, 'Memory')) !== before);
    const arranged = await place(page, 'Memory');
    await page.locator('.edit-bar').getByLabel('Message').fill('first');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.locator('[data-board][data-version="2"]').waitFor();
    await poll('lines', async () => (await drawnPixels(page, '.board-panel canvas')) > 20);
    await page.locator('.board-panel table', { hasText: 'db-2' }).waitFor();
    await poll('a number with its unit', async () => /\d %/.test(await panel(page, 'Memory').locator('.numbers b').textContent()));
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/board.png` });

    // A choice is in the address, and narrows what is drawn.
    await page.getByLabel('host', { exact: true }).selectOption('db-2');
    await poll('one line', async () => (await panel(page, 'Load').locator('.legend button').count()) === 1);
    const other = await browser.page({ viewport: { width: 390, height: 800 } });
    await other.goto(page.url());
    await panel(other, 'Words').getByText('onerror').waitFor();
    equal(await place(other, 'Memory'), arranged, 'the place elsewhere');
    equal(await other.getByLabel('host', { exact: true }).inputValue(), 'db-2', 'the choice elsewhere');
    const wide = await other.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    ok(wide <= 0, `the page is ${wide} px wider than the screen`);
    await accessible(other, 'a board on a phone');

    // Two change the same version: the second is told of the first, and decides.
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await other.getByRole('button', { name: 'Edit', exact: true }).click();
    await panel(other, 'Uptimes').getByRole('button', { name: 'Remove' }).click();
    await other.getByRole('button', { name: 'Save', exact: true }).click();
    await other.locator('[data-board][data-version="3"]').waitFor();
    await panel(page, 'Words').getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.locator('[role="alert"]', { hasText: 'has been changed by' }).waitFor();
    await panel(page, 'Uptimes').waitFor();
    await page.getByRole('button', { name: 'Save over it' }).click();
    await page.locator('[data-board][data-version="4"]').waitFor();
    await panel(page, 'Uptimes').waitFor();
    // Who only looks sees it change.
    await panel(other, 'Uptimes').waitFor();
    await other.context().close();

    // An old version is looked at, and brought back.
    await page.getByText('History', { exact: true }).click();
    await page.getByRole('link', { name: 'version 2' }).click();
    await page.getByText('This is version 2').waitFor();
    await panel(page, 'Words').waitFor();
    await page.getByRole('button', { name: 'Restore it' }).click();
    await page.locator('[data-board][data-version="5"]').waitFor();
    await panel(page, 'Words').waitFor();

    // The wall has no frame; Escape brings it back.
    await page.getByRole('button', { name: 'Wall' }).click();
    await poll('no rail', async () => !(await page.locator('.rail').isVisible()));
    await accessible(page, 'the wall');
    await page.keyboard.press('Escape');
    await page.locator('.rail').waitFor();

    // It comes back from its file, under another name.
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export' }).click()]);
    const text = readFileSync(await file.path(), 'utf8');
    const dir = mkdtempSync(join(tmpdir(), 'vedette-board-'));
    writeFileSync(join(dir, 'board.json'), text);
    await page.goto(`${mesh.url}/boards`);
    await page.locator('input[type="file"]').setInputFiles(join(dir, 'board.json'));
    await page.locator('[data-board][data-version="1"]').waitFor();
    ok(/-2$/.test(await page.locator('[data-board]').getAttribute('data-board')), 'it has a name that nobody had');
    await panel(page, 'Words').waitFor();
    writeFileSync(join(dir, 'board.json'), '{"vedette":"board","title":"x","panels":[{"kind":"pie"}]}');
    await page.goto(`${mesh.url}/boards`);
    await page.locator('input[type="file"]').setInputFiles(join(dir, 'board.json'));
    await page.locator('[role="alert"]', { hasText: 'there is no kind "pie"' }).waitFor();
    rmSync(dir, { recursive: true });

    // A chart of a host is pinned to it.
    await page.goto(`${mesh.url}/hosts/db-1`);
    const chart = page.locator('live-chart[data-chart="load"]').first();
    await chart.scrollIntoViewIfNeeded();
    await chart.locator('canvas').waitFor();
    await chart.getByRole('button', { name: 'More of load' }).click();
    await page.locator('.chart-menu a', { hasText: 'Pin to a board' }).click();
    await page.getByRole('heading', { name: 'Pin to a board' }).waitFor();
    await accessible(page, 'the choice of a board');
    await page.getByRole('button', { name: 'Fleet', exact: true }).click();
    await page.locator('[data-board="fleet"][data-version="1"]').waitFor();
    await panel(page, 'load on db-1').waitFor();
    // The board that came with the product comes back.
    await page.getByText('History', { exact: true }).click();
    await page.getByRole('button', { name: 'Reset to the original' }).click();
    await page.locator('[data-board="fleet"][data-version=""]').waitFor();
    equal(await page.evaluate(() => globalThis.bad), undefined, 'what a board ran');
    equal(page.faults, [], 'errors on the page');
    equal(await violations(page), [], 'violations of the policy');
  } finally {
    await page.context().close();
    await mesh.stop();
  }
});

test('the boards that come with the product show this machine', async ({ browser, dev }) => {
  const page = await browser.page({ viewport: { width: 1440, height: 1000 } });
  for (const name of ['fleet', 'one-host']) {
    await page.goto(`${dev}/boards/${name}`);
    await poll('lines', async () => (await drawnPixels(page, '.board-panel canvas').catch(() => 0)) > 20);
    await page.locator('.numbers b').first().waitFor();
    equal(await page.locator('.board-panel [role="alert"]').count(), 0, `queries of ${name} that fail`);
    await accessible(page, name);
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` });
  }
  equal(page.faults, [], 'errors on the page');
  equal(await violations(page), [], 'violations of the policy');
  await page.context().close();
});
