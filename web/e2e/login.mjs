// Against a real master that wants to know who is there.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { axe, violations } from './browser.mjs';
import { barePage, Child, equal, ok, poll, test } from './harness.mjs';

function token(vedette, ...args) {
  const made = spawnSync(vedette, ['token', '--json', ...args], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`vedette token: ${made.stderr}`);
  return JSON.parse(made.stdout);
}

/** A master with a viewer's and an agent's token, and that agent. */
async function guarded(vedette) {
  const dir = mkdtempSync(join(tmpdir(), 'vedette-guarded-'));
  const viewer = token(vedette, '--role', 'viewer', '--name', 'alice');
  const agent = token(vedette, '--host', 'guarded');
  const admin = token(vedette, '--role', 'admin', '--name', 'boss');
  const bound = token(vedette, '--role', 'viewer', '--name', 'wall', '--hosts', 'host=guarded');
  const lines = (t, more) => `    - {name: ${t.name}, role: ${t.role}, sha256: ${t.sha256}${more}}`;
  const config = join(dir, 'master.yaml');
  writeFileSync(config, `master:\n  tokens:\n${lines(viewer, '')}\n${lines(bound, ', hosts: host=guarded')}\n${lines(admin, '')}\n${lines(agent, ', host: guarded')}\n`);
  writeFileSync(join(dir, 'token'), agent.token, { mode: 0o600 });
  const adminFile = join(dir, 'admin');
  writeFileSync(adminFile, admin.token, { mode: 0o600 });
  const bare = barePage();
  const master = new Child(vedette, ['master', '--listen', '127.0.0.1:0', '--config', config, '--static', `/bare=${bare.dir}`]);
  const url = await master.url();
  const reporter = new Child(vedette, ['agent', '--master', url, '--host', 'guarded', '--token-file', join(dir, 'token')]);
  return {
    url,
    viewer: viewer.token,
    bound: bound.token,
    agent: agent.token,
    adminFile,
    async stop() {
      await reporter.stop();
      await master.stop();
      bare.remove();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

test('a guarded master asks for a token and takes the right one', async ({ browser, vedette }) => {
  const master = await guarded(vedette);
  const page = await browser.page();
  try {
    await page.goto(master.url);
    const field = page.getByLabel('Token', { exact: true });
    await field.waitFor();
    ok((await page.locator('.link').textContent()).includes('login needed'), 'the bar says why nothing moves');
    equal(await page.locator('live-chart').count(), 0, 'charts before the login');

    await field.fill('not the token');
    await field.press('Enter');
    await poll('the refusal', async () => /refused/.test(await page.locator('.said').textContent()));

    await field.fill(master.agent);
    await field.press('Enter');
    await poll('an agent may not look', async () => /agent/.test(await page.locator('.said').textContent()));

    await field.fill(master.viewer);
    await field.press('Enter');
    await page.locator('.panel[data-host="guarded"] live-chart').first().waitFor();
    await page.reload();
    await page.locator('.panel[data-host="guarded"] live-chart').first().waitFor();
    equal(await page.evaluate(() => Object.values(localStorage).join().includes('token')), false, 'a token outlives the tab');
    equal(page.faults, [], 'errors on the page');
  } finally {
    await page.context().close();
    await master.stop();
  }
});

test('MeshClient is denied with a wrong password and allowed with the right one', async ({ browser, vedette }) => {
  const master = await guarded(vedette);
  const page = await browser.page();
  try {
    await page.goto(`${master.url}/bare/`);
    const login = (password) =>
      page.evaluate(
        (p) =>
          new Promise((done) => {
            const client = new globalThis.MeshClient();
            const heard = [];
            client.login({ username: 'alice', password: p }).then(
              () => heard.push('resolved'),
              (e) => heard.push(`rejected ${e.message}`),
            );
            for (const name of ['login/allow', 'login/deny', 'login/error']) {
              client.on(name, () => {
                heard.push(name);
                setTimeout(() => client.disconnect(() => done(heard)));
              });
            }
          }),
        password,
      );
    equal(await login('wrong'), ['login/deny', 'rejected login refused: unknown token or name'], 'the wrong password');
    equal(await login(master.viewer), ['login/allow', 'resolved'], 'the right password');
  } finally {
    await page.context().close();
    await master.stop();
  }
});

test('a viewer asks, looks at boards and compares, and is offered nothing that it may not do', async ({ browser, vedette }) => {
  const master = await guarded(vedette);
  const page = await browser.page();
  try {
    await page.goto(`${master.url}/explore?q=load_average_1#key=${master.viewer}`);
    // Queries and completion go by HTTP, with the token of the page.
    await page.locator('[data-found="1"] query-chart canvas').waitFor();
    await page.locator('promql-editor .cm-content').click();
    await page.keyboard.press('End');
    await page.keyboard.type('{ho');
    await page.locator('promql-editor .cm-tooltip-autocomplete li', { hasText: 'host' }).first().waitFor();
    await page.keyboard.press('Escape');
    equal(await page.getByRole('link', { name: 'Ask hosts now' }).count(), 0, 'ways to ask hosts');
    equal(await page.getByRole('link', { name: 'Pin', exact: true }).count(), 0, 'ways to pin');
    equal(await page.locator('.rail a', { hasText: 'Audit' }).count(), 0, 'ways to the audit log');
    await page.goto(`${master.url}/boards`);
    await page.locator('tr[data-row="fleet"]').waitFor();
    equal(await page.getByRole('button', { name: 'Make' }).count(), 0, 'ways to make a board');
    equal(await page.locator('input[type="file"]').count(), 0, 'ways to import a board');
    await page.locator('tr[data-row="one-host"] a').click();
    await page.locator('.numbers b').first().waitFor();
    equal(await page.getByLabel('host', { exact: true }).inputValue(), 'guarded', 'the host that is chosen');
    equal(await page.getByRole('button', { name: 'Edit', exact: true }).count(), 0, 'ways to change a board');
    for (const path of ['/audit', '/explore/ask']) {
      await page.goto(`${master.url}${path}`);
      await page.getByRole('heading', { name: 'This page is for operators' }).waitFor();
    }
    await page.goto(`${master.url}/hosts?sel=guarded`);
    await page.locator('.selection').getByRole('link', { name: 'Compare' }).waitFor();
    equal(await page.locator('.selection').getByRole('link').count(), 1, 'what may be done with a host');
    equal(await page.getByLabel('Label them').count(), 0, 'ways to label');
    await page.goto(`${master.url}/hosts/guarded`);
    const chart = page.locator('live-chart[data-chart="load"]').first();
    await chart.getByRole('button', { name: 'More of load' }).click();
    await page.locator('.chart-menu a', { hasText: 'Open in Explore' }).waitFor();
    equal(await page.locator('.chart-menu a', { hasText: 'Pin' }).count(), 0, 'ways to pin a chart');
    equal(page.faults, [], 'errors on the page');
    equal(await violations(page), [], 'violations of the policy');
  } finally {
    await page.context().close();
    await master.stop();
  }
});

test('a viewer who is bound to some hosts is told of which', async ({ browser, vedette }) => {
  const master = await guarded(vedette);
  const page = await browser.page();
  try {
    await page.goto(`${master.url}/hosts#key=${master.bound}`);
    await page.locator('.head .count', { hasText: 'You see hosts with host=guarded' }).waitFor();
    await page.getByRole('link', { name: 'Now', exact: true }).click();
    await page.locator('h1', { hasText: 'Now' }).waitFor();
    await page.locator('.head .count', { hasText: 'host=guarded' }).waitFor();
    equal(await axe(page), [], 'axe');
  } finally {
    await page.context().close();
    await master.stop();
  }
});

test('a user logs in with a password, stays after a reload, and logs out', async ({ browser, vedette }) => {
  const master = await guarded(vedette);
  const page = await browser.page();
  try {
    const options = ['--master', master.url, '--token-file', master.adminFile];
    const made = spawnSync(vedette, ['users', 'add', 'bob', '--role', 'operator', '--json', ...options], { encoding: 'utf8' });
    equal(made.status, 0, made.stderr);
    await page.goto(`${master.url}/#link=${JSON.parse(made.stdout).link}`);
    await page.getByLabel('Password', { exact: true }).fill('correct horse');
    await page.getByLabel('The same again').fill('correct horse');
    await page.getByLabel('The same again').press('Enter');
    await page.locator('.panel[data-host="guarded"] live-chart').first().waitFor();
    equal(new URL(page.url()).hash, '', 'the link is out of the address');
    await page.reload();
    await page.locator('.panel[data-host="guarded"] live-chart').first().waitFor();

    await page.keyboard.press('Control+K');
    await page.getByRole('combobox').fill('Log out');
    await page.getByRole('combobox').press('Enter');
    const name = page.getByLabel('Name', { exact: true });
    await name.waitFor();
    await name.fill('bob');
    await page.getByLabel('Password', { exact: true }).fill('wrong horse');
    await page.getByLabel('Password', { exact: true }).press('Enter');
    await poll('the refusal', async () => /refused/.test(await page.locator('.said').textContent()));
    await page.getByLabel('Password', { exact: true }).fill('correct horse');
    await page.getByLabel('Password', { exact: true }).press('Enter');
    await page.locator('.panel[data-host="guarded"] live-chart').first().waitFor();

    spawnSync(vedette, ['users', 'remove', 'bob', ...options]);
    await page.getByLabel('Token', { exact: true }).waitFor();
    equal(await violations(page), [], 'violations of the policy');
  } finally {
    await page.context().close();
    await master.stop();
  }
});
