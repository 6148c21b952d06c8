// The page of a host: sums in the legends, states as strips, facts, lines that are hidden
// for others too, and marks of what happened.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { axe, violations } from './browser.mjs';
import { FakeHost, FakeMaster } from './fake-master.mjs';
import { equal, ok, poll, test } from './harness.mjs';
import { startMesh } from './mesh.mjs';

const gauge = (key, at, labels) => [key, labels, 'gauge', 1, at];

test('the page of a host: sums, strips, facts, and hidden lines that others see hidden', async ({ browser }) => {
  const host = new FakeHost('h');
  const born = Date.now() / 1000 - 3 * 86_400;
  host.series.push(
    gauge('http/up', (t) => (Math.floor(t) % 2 ? 0 : 1), { url: 'https://a' }),
    gauge('http/up', () => 1, { url: '<b>b</b>' }),
    gauge('kernel/info', () => 1, { release: '6.1.0-<i>13</i>' }),
    gauge('app/start_time_seconds', () => born),
    gauge('queue/depth', (t) => 10 + (Math.floor(t) % 5)),
  );
  const master = await new FakeMaster({ hosts: [host] }).listen();
  const page = await browser.page();
  try {
    await page.goto(`${master.url}/hosts/h?window=1m`);
    const facts = page.locator('.host-facts');
    await facts.getByText('6.1.0-<i>13</i>').waitFor();
    ok(/app start\d d ago/.test(await facts.textContent()), `facts: ${await facts.textContent()}`);
    equal(await page.locator('.group live-chart[data-chart="uptime"], .group live-chart[data-chart="kernel"]').count(), 0, 'charts of facts');

    const queue = page.locator('live-chart[data-chart="queue"]');
    await queue.scrollIntoViewIfNeeded();
    const cells = () => queue.locator('.legend b').allTextContents();
    await poll('sums of ten samples', async () => {
      const [min, mean, max] = (await cells()).map(Number);
      return min === 10 && mean > 10 && mean < 14 && max === 14;
    });
    equal(await queue.locator('.legend small').allTextContents(), ['min', 'mean', 'max', 'last', 'trend'], 'names of the columns');

    const http = page.locator('live-chart[data-chart="http"]');
    await http.scrollIntoViewIfNeeded();
    await poll('a strip', async () => (await http.locator('.plot').evaluate((e) => e.clientHeight)) < 100);
    const cpu = page.locator('live-chart[data-chart="cpu"][data-unit="percent"]');
    ok((await cpu.locator('.plot').evaluate((e) => e.clientHeight)) > 150, 'and others are lines');
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      equal(await axe(page), [], `axe, ${colorScheme}`);
    }

    await cpu.locator('.legend button').first().click();
    await http.locator('.legend button').nth(1).click({ modifiers: ['Control'] });
    await poll('the address has them', () => /hide=/.test(page.url()));
    const other = await browser.page();
    await other.goto(page.url());
    const hidden = (on) => on.locator('live-chart .legend button[aria-pressed="false"]').count();
    await other.locator('live-chart[data-chart="http"]').scrollIntoViewIfNeeded();
    await poll('two hidden lines elsewhere', async () => (await hidden(other)) === 2);
    equal(await other.locator('live-chart[data-chart="cpu"] .legend button[aria-pressed="false"] span').allTextContents(), ['used'], 'the line of the processor');
    await other.locator('live-chart[data-chart="cpu"][data-unit="percent"] .legend button').first().click();
    await other.locator('live-chart[data-chart="http"] .legend button').nth(1).click({ modifiers: ['Control'] });
    await poll('all are shown, and the address is plain', () => !/hide=/.test(other.url()));

    await page.setViewportSize({ width: 390, height: 800 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    ok(wide <= 0, `the page is ${wide} px wider than a phone`);
    equal([...page.faults, ...other.faults], [], 'errors on the pages');
    equal(await violations(page), [], 'violations of the policy');
    await other.context().close();
  } finally {
    await page.context().close();
    await master.close();
  }
});

const config = `
master:
  alerts:
    built_in: false
    rules: [rules.yaml]
`;
const rules = `
groups:
  - name: g
    interval: 1s
    rules:
      - { alert: "to/and-fro", expr: 'label_replace(vector(time()) % 20 < 10, "host", "db-1", "", "")', labels: { severity: critical } }
      - { alert: elsewhere, expr: 'label_replace(vector(time()) % 20 < 10, "host", "db-2", "", "")' }
`;
const probe = (n) => `// Package counted counts.
//
//vedette:name counted
//vedette:interval 1s
package counted

func Inspect() (float64, error) { return ${n}, nil }
`;

test('charts of a host have marks: revisions of their inspectors, and alerts of the host', async ({ browser, vedette }) => {
  const dir = mkdtempSync(join(tmpdir(), 'vedette-marks-'));
  writeFileSync(join(dir, 'master.yaml'), config);
  writeFileSync(join(dir, 'rules.yaml'), rules);
  const mesh = await startMesh(vedette, ['db-1'], { master: ['--config', join(dir, 'master.yaml')] });
  const page = await browser.page();
  try {
    const file = join(dir, 'counted.go');
    const push = (n, message, ...to) => {
      writeFileSync(file, probe(n));
      const done = spawnSync(vedette, ['push', file, ...to, '-m', message, '--master', mesh.url], { encoding: 'utf8' });
      equal(done.status, 0, `the push: ${done.stderr}`);
    };
    await page.goto(`${mesh.url}/hosts/db-1?window=2m`);
    await page.locator('.panel.single live-chart').first().waitFor();
    push(1, 'first', '--to', 'role=db');
    push(2, '<b>more</b>', '--to', '');
    const marks = (chart) => page.locator(`live-chart[data-chart="${chart}"]`).first().locator('.marks a').evaluateAll((all) => all.map((a) => a.title));
    const counted = page.locator('live-chart[data-chart="counted"]');
    await counted.waitFor();
    await counted.scrollIntoViewIfNeeded();
    await poll('both revisions, with their reasons', async () => {
      const titles = (await marks('counted')).filter((t) => /^counted [0-9a-f]{8} pushed by /.test(t));
      return titles.some((t) => t.includes(': first\n')) && titles.some((t) => t.includes(': <b>more</b>\n'));
    });
    await poll('an alert that fired and ended', async () => {
      const titles = await marks('counted');
      return titles.some((t) => t.startsWith('to/and-fro fired')) && titles.some((t) => t.startsWith('to/and-fro ended'));
    });
    const load = page.locator('live-chart[data-chart="load"]').first();
    await load.scrollIntoViewIfNeeded();
    await poll('marks of the alert on another chart', async () => (await marks('load')).some((t) => t.startsWith('to/and-fro')));
    const all = [...(await marks('load')), ...(await marks('counted'))];
    equal(all.filter((t) => /^elsewhere/.test(t)), [], 'marks of another host');
    equal((await marks('load')).filter((t) => /^counted/.test(t)), [], 'revisions of another inspector');
    equal(await axe(page), [], 'axe');
    await counted.scrollIntoViewIfNeeded();
    await counted.locator('.marks a[href^="/rollouts/"]:visible').last().focus();
    await page.keyboard.press('Enter');
    await page.locator('.rollout').waitFor();
    equal(page.faults, [], 'errors on the page');
    equal(await violations(page), [], 'violations of the policy');
  } finally {
    await page.context().close();
    await mesh.stop();
    rmSync(dir, { recursive: true, force: true });
  }
});
