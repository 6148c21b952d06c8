// A question to five real hosts, of which one is away.

import { readFileSync } from 'node:fs';
import { axe, violations } from './browser.mjs';
import { Child, equal, ok, poll, test } from './harness.mjs';
import { startMesh } from './mesh.mjs';

/** A probe whose answer differs by host: the names of the two halves of the hosts are labels. */
const probe = `//vedette:name e2e/release
package release

import (
	"context"
	"os"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return err
	}
	r.Gauge("running", 1, "release", strings.TrimSpace(string(text)), "markup", "a & b")
	return nil
}
`;

async function write(page, text) {
  await page.locator('go-editor .cm-content').click();
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Delete');
  await page.keyboard.insertText(text);
}

async function accessible(page, what) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    equal(await axe(page), [], `axe on ${what}, ${colorScheme}`);
  }
}

async function saved(page, name) {
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name, exact: true }).click()]);
  return readFileSync(await file.path(), 'utf8');
}

test('five hosts are asked, of which one is away, and one does not take code', async ({ browser, vedette }) => {
  const mesh = await startMesh(vedette, ['db-1', 'db-2', 'db-3']);
  // One host that takes no code from a master, and one that is killed.
  const shy = new Child(vedette, ['agent', '--master', mesh.url, '--host', 'shy']);
  const away = new Child(vedette, ['agent', '--master', mesh.url, '--host', 'away']);
  const page = await browser.page();
  const release = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  try {
    await page.goto(`${mesh.url}/hosts`);
    await poll('all hosts', async () => Number(await page.locator('.hosts').getAttribute('data-shown').catch(() => 0)) === 5);
    await away.stop('SIGKILL');
    await page.locator('.rows-body [data-host="away"]', { hasText: 'gone' }).waitFor();
    await page.locator('.rail a', { hasText: 'Explore' }).click();
    await page.getByRole('link', { name: 'Ask hosts now' }).click();
    await page.locator('go-editor .cm-content').waitFor();
    await accessible(page, 'Ask before a question');

    // A mistake is marked while it is typed, and nobody is asked.
    await write(page, probe.replace('return err\n', 'retrun err\n'));
    await page.locator('go-editor .cm-lintRange-error').first().waitFor();
    await poll('no question', () => page.getByRole('button', { name: 'Ask', exact: true }).isDisabled());
    await accessible(page, 'a fault');
    await write(page, probe);
    await poll('it can be asked', async () => !(await page.getByRole('button', { name: 'Ask', exact: true }).isDisabled()));
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.locator('[data-phase="done"]').waitFor();
    for (const host of ['db-1', 'db-2', 'db-3']) await page.locator('[aria-label="Answers by host"] tr', { hasText: host }).filter({ hasText: release }).waitFor();
    await page.locator('[data-silent="away"]', { hasText: 'it is gone' }).waitFor();
    await page.locator('[data-silent="shy"]').waitFor();
    equal(await page.locator('[data-silent]').count(), 2, 'hosts that are named');
    await accessible(page, 'answers');

    // Which hosts still have it: grouped and counted.
    await page.getByRole('group', { name: 'Group by' }).getByRole('button', { name: 'release' }).click();
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/ask.png` });
    const group = page.locator('[aria-label="Answers in groups"] tbody tr');
    await group.filter({ hasText: 'db-1, db-2, db-3' }).waitFor();
    equal(await group.count(), 1, 'groups');
    const csv = (await saved(page, 'CSV')).trim().split('\r\n');
    equal(csv, ['release,hosts,values,min,mean,max', `${release},3,3,1,1,1`], 'the file');
    const json = JSON.parse(await saved(page, 'JSON'));
    equal(json.groups[0].names, ['db-1', 'db-2', 'db-3'], 'hosts in the file');
    equal(json.silent.map((s) => s.host), ['away', 'shy'], 'silent hosts in the file');

    // The address has the question; opening it asks nobody.
    const other = await browser.page({ viewport: { width: 390, height: 800 } });
    await other.goto(page.url());
    await poll('the probe elsewhere', async () => (await other.evaluate(() => document.querySelector('go-editor')?.value ?? '')) === probe);
    equal(await other.locator('[data-phase="idle"]').count(), 1, 'nobody was asked');
    await other.getByLabel('On hosts with these labels').fill('zone=a');
    await other.getByRole('button', { name: 'Ask', exact: true }).click();
    await other.locator('[aria-label="Answers in groups"] tbody tr', { hasText: 'db-1, db-3' }).waitFor();
    const wide = await other.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    ok(wide <= 0, `the page is ${wide} px wider than the screen`);
    await accessible(other, 'answers on a phone');
    await other.getByLabel('On hosts with these labels').fill('role=nobody');
    await other.getByRole('button', { name: 'Ask', exact: true }).click();
    await other.locator('[role="alert"]', { hasText: 'no host has the labels role=nobody' }).waitFor();
    for (const p of [page, other]) {
      equal(p.faults, [], 'errors on the page');
      equal(await violations(p), [], 'violations of the policy');
    }
    await other.context().close();
  } finally {
    await page.context().close();
    await shy.stop();
    await away.stop();
    await mesh.stop();
  }
});
