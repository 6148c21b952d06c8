// Measures the page with many hosts and many charts, beside the walkthrough's page with
// smoothie, in one run. It prints figures and passes no judgement: a busy machine makes all of
// them worse, so an empty page is measured as well.
//
//   npm run bench [-- minutes]      how long memory is watched (2)

import { spawn } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBrowser } from './browser.mjs';
import { FakeHost, FakeMaster, demoHosts } from './fake-master.mjs';
import { poll, webDir } from './harness.mjs';

const hosts = 1000;
const charts = 200;
const seconds = 20; // for which each page is measured

/** The master of a measurement, in a process of its own: `node bench.mjs serve …`. */
async function serve(kind, folder) {
  const lines = (n) => [0, 1, 2].map((v) => [`chart-${n}/v${v}`, {}, 'gauge', 1, (t) => 50 + 40 * Math.sin(t / (7 + v) + n)]);
  const many = () => [new FakeHost('h', { series: Array.from({ length: charts }, (_, n) => lines(n)).flat(), inspectors: [] })];
  const master = new FakeMaster({ hosts: kind === 'hosts' ? demoHosts(hosts) : many(), statics: folder ? { '/walkthrough': folder } : {} });
  await master.listen();
  console.log(master.url);
}

async function withMaster(args, run) {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'serve', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (data) => (output += data));
  try {
    return await run(await poll('the master of the measurement', () => output.match(/http:\S+/)?.[0]));
  } finally {
    child.kill();
  }
}

/** Seconds of the main thread of a page in each second, and bytes of its heap once garbage is gone. */
async function watch(page) {
  const client = await page.context().newCDPSession(page);
  await client.send('Performance.enable', { timeDomain: 'threadTicks' });
  return {
    async task() {
      const { metrics } = await client.send('Performance.getMetrics');
      return metrics.find((m) => m.name === 'TaskDuration').value;
    },
    async heap() {
      await client.send('HeapProfiler.collectGarbage');
      return (await client.send('Runtime.getHeapUsage')).usedSize;
    },
  };
}

const pause = (s) => new Promise((done) => setTimeout(done, 1000 * s));
const ms = (s) => `${Math.round(1000 * s)} ms`;
const MiB = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const row = (what, ...values) => console.log(`| ${what} | ${values.join(' | ')} |`);

/** Milliseconds of the main thread a second, over some seconds. */
async function cost(page) {
  const { task } = await watch(page);
  const [before, begin] = [await task(), performance.now()];
  await pause(seconds);
  return (1000 * ((await task()) - before)) / ((performance.now() - begin) / 1000);
}

/** The times between frames (ms, the longest first) while a page scrolls, or rests where it has nothing to. */
function frames(page, steps = 200) {
  return page.evaluate(async (steps) => {
    const gaps = [];
    const room = document.documentElement.scrollHeight - innerHeight;
    let before = performance.now();
    for (let i = 0; i < steps; i++) {
      scrollTo(0, (room * i) / steps);
      await new Promise((done) => requestAnimationFrame(done));
      const now = performance.now();
      gaps.push(now - before);
      before = now;
    }
    return gaps.sort((a, b) => b - a);
  }, steps);
}

function told(gaps) {
  const at = (part) => `${gaps[Math.floor(part * gaps.length)].toFixed(0)} ms`;
  return [at(0), at(0.01), at(0.5), gaps.filter((g) => g > 50).length];
}

async function manyHosts(browser) {
  await withMaster(['hosts'], async (url) => {
    const page = await browser.page();
    const { task } = await watch(page);
    const begun = performance.now();
    await page.goto(url, { waitUntil: 'commit' });
    await page.locator('.fleet, .wrong, .calm').first().waitFor();
    const now = performance.now() - begun;
    const worked = await task();
    await page.waitForFunction((n) => document.body.textContent.includes(`${n} hosts`) || document.body.textContent.includes(`${n - 1} up`) || document.body.textContent.includes(`${n} up`), hosts);
    row(`first page of ${hosts} hosts: something, all of them`, ms(now / 1000), ms((performance.now() - begun) / 1000));
    row('main thread until then', ms(worked));
    row('main thread a second on it', `${(await cost(page)).toFixed(0)} ms`);
    await page.goto(`${url}/hosts`);
    await page.locator('.rows-body [data-host]').nth(10).waitFor();
    await pause(5);
    row('main thread a second on the table of hosts', `${(await cost(page)).toFixed(0)} ms`);
    const table = await watch(page);
    const before = await table.task();
    const gaps = await frames(page);
    row('frames while it scrolls: longest, 99 %, median, above 50 ms', ...told(gaps));
    row('main thread for each of them', `${((1000 * ((await table.task()) - before)) / gaps.length).toFixed(1)} ms`);
    await page.context().close();
    const empty = await browser.page();
    row('frames of an empty page meanwhile', ...told(await frames(empty)));
    await empty.context().close();
  });
}

/** How many plots there are, once no more come. */
async function settled(page) {
  let count = 0;
  let since = performance.now();
  await poll('plots that are all there', async () => {
    const now = await page.locator('canvas').count();
    if (now !== count) [count, since] = [now, performance.now()];
    return count > 0 && performance.now() - since > 10_000;
  });
  return count;
}

async function manyCharts(browser, name, path, ready, viewport, minutes) {
  const dir = mkdtempSync(join(tmpdir(), 'vedette-bench-'));
  cpSync(join(webDir, 'e2e/walkthrough'), dir, { recursive: true });
  copyFileSync(createRequire(import.meta.url).resolve('smoothie/smoothie.js'), join(dir, 'smoothie.js'));
  try {
    await withMaster(['charts', dir], async (url) => {
      const page = await browser.page({ viewport });
      await page.goto(url + path);
      await poll('its charts', async () => (await page.locator(ready).count()) > 0);
      const drawn = await settled(page);
      const { heap } = await watch(page);
      const spent = await cost(page);
      const begin = await heap();
      await pause(60 * minutes);
      row(name, drawn, `${spent.toFixed(0)} ms`, MiB(begin), MiB(await heap()));
      await page.context().close();
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

if (process.argv[2] === 'serve') {
  await serve(...process.argv.slice(3));
} else {
  const minutes = Number(process.argv[2] ?? 2);
  const load = () => loadavg()[0].toFixed(1);
  const browser = await startBrowser();
  try {
    console.log(`load of the machine at the start: ${load()}`);
    await manyHosts(browser);
    const screen = { width: 1280, height: 900 };
    const all = { width: 1920, height: 14_000 };
    console.log(`\n| ${charts} charts of 3 lines, a sample a second each | plots | main thread a second | heap | after ${minutes} min |\n|---|--:|--:|--:|--:|`);
    await manyCharts(browser, 'Vedette, on a screen', '/hosts?as=charts', 'live-chart canvas', screen, minutes);
    await manyCharts(browser, 'Vedette, all in sight', '/hosts?as=charts', 'live-chart canvas', all, minutes);
    await manyCharts(browser, 'smoothie, on a screen', '/walkthrough/', '.host canvas', screen, minutes);
    console.log(`\nload of the machine at the end: ${load()}`);
  } finally {
    await browser.close();
  }
}
