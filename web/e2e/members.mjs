// Hosts join by a line that the page makes, wait, are let in, and are revoked.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { axe, violations } from './browser.mjs';
import { Child, equal, ok, poll, test } from './harness.mjs';

/** A master on loopback that speaks TLS. */
async function sealed(vedette) {
  const dir = mkdtempSync(join(tmpdir(), 'vedette-members-'));
  writeFileSync(join(dir, 'master.yaml'), 'master:\n  tls: { own: true }\n');
  const master = new Child(vedette, ['master', '--listen', '127.0.0.1:0', '--config', join(dir, 'master.yaml'), '--data', join(dir, 'data')]);
  const url = await poll('the address of the master', () => master.output.match(/https:\/\/127\.0\.0\.1:\d+/)?.[0]);
  return {
    url,
    dir,
    async stop() {
      await master.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

test('a host joins by the line of the page, waits, is let in and revoked', async ({ browser, vedette }) => {
  const master = await sealed(vedette);
  const page = await browser.page({ ignoreHTTPSErrors: true });
  const agents = [];
  try {
    await page.goto(`${master.url}/hosts`);
    await page.getByRole('link', { name: 'Members' }).first().click();
    await page.getByText('No host has joined').waitFor();
    await page.getByRole('button', { name: 'Add hosts' }).click();
    await page.getByLabel('Good for hours').fill('soon');
    await page.getByRole('button', { name: 'Make the line' }).click();
    await page.getByText('Hours is “soon”; write a whole number').waitFor();
    await page.getByLabel('Good for hours').fill('2');
    await page.getByLabel('Hosts', { exact: true }).fill('3');
    await page.getByLabel('Labels').fill('role=db');
    await page.getByLabel('Each waits for approval').check();
    await page.getByRole('button', { name: 'Make the line' }).click();
    const line = await page.locator('.join-line pre').textContent();
    ok(new RegExp(`^vedette-agent join ${master.url} --token [\\w.-]+$`).test(line), `the line is ${line}`);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      equal(await axe(page), [], `axe, ${colorScheme}`);
    }

    // The line as it stands, with what a test needs beside it.
    const joins = (host) => {
      const config = join(master.dir, `${host}.yaml`);
      const words = line.split(' ').slice(2);
      const agent = new Child(vedette, ['agent', 'join', ...words, '--host', host, '--config', config, '--data', join(master.dir, host), '--run']);
      agents.push(agent);
      return agent;
    };
    joins('good');
    joins('odd');
    const row = (host) => page.locator(`[aria-label="Members"] tr[data-row="${host}"]`);
    await row('good').getByText('waiting').waitFor();
    await row('odd').getByText('waiting').waitFor();
    ok(/0 joined, 2 wait/.test(await page.locator('.head .count').textContent()), 'the count');
    await row('odd').getByRole('button', { name: 'Refuse' }).click();
    await row('odd').getByRole('button', { name: 'Keep' }).click();
    await row('odd').getByRole('button', { name: 'Refuse' }).click();
    await row('odd').getByRole('button', { name: 'Refuse odd' }).click();
    await row('odd').getByText('revoked').waitFor();
    await row('good').getByRole('button', { name: 'Approve' }).click();
    await row('good').getByText(/^joined$/).waitFor();
    await poll('until when its certificate is good', async () => /in \d+ d/.test(await row('good').textContent()));

    // Another one that claims the name is named.
    const thief = new Child(vedette, ['agent', 'join', ...line.split(' ').slice(2), '--host', 'good', '--config', join(master.dir, 'thief.yaml'), '--data', join(master.dir, 'thief')]);
    agents.push(thief);
    await row('good').locator('.claim', { hasText: 'Somebody at 127.0.0.1 claims this name' }).waitFor();

    await page.emulateMedia({ colorScheme: 'light' });
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/members.png` });
    await page.setViewportSize({ width: 390, height: 800 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    ok(wide <= 0, `the page is ${wide} px wider than a phone`);
    equal(await axe(page), [], 'axe on a phone');
    await page.setViewportSize({ width: 1280, height: 800 });

    await row('good').getByRole('link', { name: 'good' }).click();
    await page.locator('.panel.single[data-host="good"] live-chart').first().waitFor();
    await page.goBack();
    await row('good').getByRole('button', { name: 'Revoke' }).click();
    await row('good').getByRole('button', { name: 'Revoke good' }).click();
    await row('good').getByText(/^revoked$/).waitFor();
    equal(page.faults, [], 'errors on the page');
    equal(await violations(page), [], 'violations of the policy');
  } finally {
    await page.context().close();
    for (const a of agents) await a.stop();
    await master.stop();
  }
});

test('a viewer sees who has joined, and is offered nothing', async ({ browser, vedette }) => {
  const dir = mkdtempSync(join(tmpdir(), 'vedette-members-'));
  const made = JSON.parse(spawnSync(vedette, ['token', '--json', '--role', 'viewer', '--name', 'eve'], { encoding: 'utf8' }).stdout);
  writeFileSync(join(dir, 'master.yaml'), `master:\n  tokens:\n    - {name: eve, role: viewer, sha256: ${made.sha256}}\n`);
  const master = new Child(vedette, ['master', '--listen', '127.0.0.1:0', '--config', join(dir, 'master.yaml')]);
  const page = await browser.page();
  try {
    await page.goto(`${await master.url()}/members`);
    await page.getByLabel('Token', { exact: true }).fill(made.token);
    await page.keyboard.press('Enter');
    await page.getByText('No host has joined').waitFor();
    equal(await page.getByRole('button', { name: 'Add hosts' }).count(), 0, 'a button that it may not press');
    equal(await axe(page), [], 'axe');
    equal(page.faults, [], 'errors on the page');
  } finally {
    await page.context().close();
    await master.stop();
    rmSync(dir, { recursive: true, force: true });
  }
});
