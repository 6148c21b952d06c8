// Takes docs/first-page.png: the first page of `vedette dev` on this machine,
// after two minutes, so that the charts are full. THEME=dark takes the other one.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startBrowser } from './browser.mjs';
import { buildVedette, Child, poll, repository } from './harness.mjs';

const file = process.argv[2] ?? join(repository, 'docs/first-page.png');
const samples = 125;

const vedette = buildVedette();
const browser = await startBrowser();
const dev = new Child(vedette.path, ['dev', '--listen', '127.0.0.1:0', '--host', 'web-1']);
try {
  const page = await browser.page({
    viewport: { width: 1440, height: 900 },
    colorScheme: process.env.THEME === 'dark' ? 'dark' : 'light',
  });
  await page.goto(await dev.url());
  const count = () => page.evaluate(() => document.querySelector('live-chart[data-chart="load"]')?.series[0].times.length ?? 0);
  await poll('two minutes of samples', async () => (await count()) >= samples, { times: 300, pause: 1_000 });
  mkdirSync(join(file, '..'), { recursive: true });
  await page.screenshot({ path: file });
  console.log(file);
} finally {
  await dev.stop();
  await browser.close();
  vedette.remove();
}
