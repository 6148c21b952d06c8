// Takes the screenshots of docs/web.md that show the pages of inspectors, Explore and a
// board: two agents on this machine, a probe that is tried and pushed. An argument names
// another folder.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startBrowser } from './browser.mjs';
import { buildVedette, poll, repository } from './harness.mjs';
import { startMesh } from './mesh.mjs';

const folder = process.argv[2] ?? join(repository, 'docs/web');
mkdirSync(folder, { recursive: true });

const vedette = buildVedette();
const browser = await startBrowser();
const mesh = await startMesh(vedette.path, ['db-1', 'db-2']);
try {
  const page = await browser.page({ viewport: { width: 1280, height: 860 }, colorScheme: 'light' });
  const shoot = (name) => page.screenshot({ path: join(folder, `${name}.png`) });
  await page.goto(`${mesh.url}/editor?window=1m`);
  await page.locator('[data-checked="0"]').waitFor();
  await page.getByRole('button', { name: 'Parse a /proc file' }).click();
  await page.getByRole('heading', { name: 'Push pressure' }).waitFor();
  await page.locator('[data-checked="0"]').waitFor();
  await page.locator('.try').getByLabel('On hosts with these labels').fill('role=db');
  await page.getByRole('button', { name: 'Try', exact: true }).click();
  await poll('ten runs', async () => /1\d runs/.test(await page.locator('.try .plain-list').textContent()), { times: 120, pause: 500 });
  await shoot('editor');
  await page.locator('.push-panel').getByLabel('Message').fill('see who waits');
  await page.getByRole('button', { name: 'Push', exact: true }).click();
  await page.locator('.rollout[data-state="done"]').waitFor();
  await page.goto(`${mesh.url}/inspectors/pressure`);
  await poll('samples', async () => (await page.locator('live-chart').count()) > 0);
  await page.locator('.code').waitFor();
  await page.emulateMedia({ colorScheme: 'dark' });
  await shoot('inspector');
  await page.goto(`${mesh.url}/boards/one-host?window=1m`);
  await poll('charts of the board', async () => (await page.locator('.board-panel canvas').count()) >= 4);
  await shoot('board');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto(`${mesh.url}/explore?window=1m&q=cpu_used_percent&q2=memory_used_percent`);
  await page.locator('query-chart canvas').waitFor();
  await shoot('explore');
  await page.setViewportSize({ width: 390, height: 780 });
  await page.goto(`${mesh.url}/inspectors`);
  await page.locator('tr[data-row="pressure"]').waitFor();
  await shoot('inspectors-phone');
} finally {
  await mesh.stop();
  await browser.close();
  vedette.remove();
}
