// Writing, trying and pushing a probe, against a real master with two real agents.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { axe, violations } from './browser.mjs';
import { equal, ok, poll, test, Child } from './harness.mjs';
import { startMesh } from './mesh.mjs';

const probe = (value, fault = '') => `//vedette:name e2e/answer
//vedette:interval 1s
package answer

import "fmt"

func Inspect() (float64, error) {
	fmt.Println("the answer is", ${value})${fault}
	return ${value}, nil
}
`;

/** Replaces what is in the editor, as somebody who pastes does. */
async function write(page, text) {
  await page.locator('go-editor .cm-content').click();
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Delete');
  await page.keyboard.insertText(text);
}

const editorText = (page) => page.evaluate(() => document.querySelector('go-editor')?.value ?? '');

async function clean(page, what) {
  equal(page.faults, [], `errors on ${what}`);
  equal(await violations(page), [], `violations of the policy on ${what}`);
}

/** The faults of accessibility of a page, in both themes. */
async function accessible(page, what) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    equal(await axe(page), [], `axe on ${what}, ${colorScheme}`);
  }
}

test('a probe is written, mended, tried, pushed by stages, changed and rolled back', async ({ browser, vedette }) => {
  const mesh = await startMesh(vedette, ['db-1', 'db-2']);
  const page = await browser.page({ viewport: { width: 1440, height: 950 } });
  try {
    await page.goto(`${mesh.url}/inspectors`);
    await page.locator('tr[data-row="load"]').waitFor();
    await accessible(page, 'the list');
    await page.getByRole('link', { name: 'Write an inspector' }).click();
    await page.locator('go-editor .cm-content').waitFor();
    equal(page.sockets, 1, 'WebSockets');

    // A mistake is marked at its place, with nothing pressed.
    await write(page, probe(41, '\n\tretrun nothing'));
    await page.locator('.faults button', { hasText: '9:' }).first().waitFor();
    await page.locator('go-editor .cm-lintRange-error').first().waitFor();
    ok(await page.getByRole('button', { name: 'Push', exact: true }).isDisabled(), 'what has faults can be pushed');
    await accessible(page, 'the editor with a fault');

    // It survives leaving and reloading.
    await page.getByRole('link', { name: 'Rollouts' }).click();
    await page.getByRole('heading', { name: 'Nothing was rolled out yet' }).waitFor();
    await page.goto(`${mesh.url}/editor`);
    await poll('the draft', async () => (await editorText(page)) === probe(41, '\n\tretrun nothing'));

    // The keys of the page are letters here.
    await write(page, 'package x // ');
    await page.keyboard.type('g h?/[]');
    equal(await editorText(page), 'package x // g h?/[]', 'what was typed');
    ok(page.url().endsWith('/editor'), `typing went to ${page.url()}`);

    // Names are completed from the checker's tables, and explained.
    await write(page, 'package x\n\nimport "strings"\n\nvar _ = strings.Fie');
    await page.keyboard.press('Control+Space');
    await page.locator('go-editor .cm-tooltip-autocomplete li', { hasText: 'FieldsFunc' }).waitFor();
    await page.keyboard.press('Escape');
    await write(page, 'package x\n\nimport "os"\n\nvar a, b = os.ReadFile("x")');
    // The pointer is moved over the name: a tip says its type and what it does.
    const line = await page.locator('go-editor .cm-line', { hasText: 'var a, b' }).boundingBox();
    await poll('the explanation', async () => {
      await page.mouse.move(line.x + 5, line.y + 5);
      await page.mouse.move(line.x + 130, line.y + line.height / 2, { steps: 4 });
      const tip = page.locator('go-editor .cm-tip', { hasText: 'func os.ReadFile(name string)' });
      return tip.waitFor({ timeout: 3_000 }).then(() => true, () => false);
    }, { times: 20 });

    await write(page, probe(41));
    await page.locator('[data-checked="0"]').waitFor();

    // Tried on both hosts before anything is saved.
    await page.locator('.try').getByLabel('On hosts with these labels').fill('role=db');
    await page.getByRole('button', { name: 'Try', exact: true }).click();
    await page.locator('.try [data-first]').waitFor();
    console.log(`      first sample after ${await page.locator('.try [data-first]').getAttribute('data-first')} ms`);
    for (const host of ['db-1', 'db-2']) {
      await page.locator(`.try tr[data-row^="${host} "]`, { hasText: '41' }).waitFor();
      await page.locator('.printed', { hasText: `${host}: the answer is 41` }).waitFor();
    }
    await page.locator('.try live-chart canvas').first().waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await accessible(page, 'the editor after a trial');

    // What fails in a run is marked at its place too.
    await write(page, probe(41).replace('return 41, nil', 'list := []float64{1}\n\treturn list[len(fmt.Sprint(41))], nil'));
    await page.locator('[data-checked="0"]').waitFor();
    equal(await page.locator('go-editor .cm-lintRange-error').count(), 0, 'marks before the run');
    await page.keyboard.press('Control+Enter');
    await page.locator('.try').getByRole('button', { name: 'Go to line 10' }).first().waitFor();
    await page.locator('go-editor .cm-lintRange-error').first().waitFor();
    await write(page, probe(41));
    await poll('no marks of a text that is gone', async () => (await page.locator('go-editor .cm-lintRange-error').count()) === 0);
    await page.locator('[data-checked="0"]').waitFor();

    // A selector with a typing mistake is told before the push.
    const to = page.locator('.push-panel').getByLabel('To hosts with these labels');
    await to.fill('role=dbb');
    await page.locator('.push-panel .said', { hasText: 'known: db' }).waitFor();
    await to.fill('role=db');
    await page.locator('[data-hosts="2"]', { hasText: 'db-1, db-2' }).waitFor();

    const push = async (message) => {
      await page.locator('.push-panel').getByLabel('Stages').fill('1,100%');
      await page.locator('.push-panel').getByLabel('Each must stay healthy for').fill('1s');
      await page.locator('.push-panel').getByLabel('Message').fill(message);
      await page.getByRole('button', { name: 'Push', exact: true }).click();
    };
    const before = page.url();
    await push('<img src=x onerror="globalThis.ran = 1">');
    await poll('the page of the new inspector', () => page.url() !== before && page.url().includes('/editor/e2e/answer'));
    await page.locator('.rollout[data-state="done"]').waitFor();
    equal(await page.locator('.stages li[data-stage="done"]').count(), 2, 'stages that are done');
    equal(await page.locator('.rollout tr', { hasText: 'healthy' }).count(), 2, 'healthy hosts');
    await clean(page, 'the editor');

    // Changed: the difference is shown, and the second revision goes the same way.
    await write(page, probe(42));
    await page.locator('[data-checked="0"]').waitFor();
    await page.locator('.push-panel summary').click();
    await page.locator('.push-panel [data-diff="added"]', { hasText: 'return 42, nil' }).waitFor();
    const first = page.url();
    await push('better');
    await poll('the second rollout', () => page.url() !== first);
    await page.locator('.rollout[data-rollout="2"][data-state="done"]').waitFor();

    // Rolled back from the page of the inspector.
    await page.goto(`${mesh.url}/inspectors/e2e/answer`);
    await page.locator('.code', { hasText: 'return 42, nil' }).waitFor();
    await page.locator('live-chart[data-chart="e2e"]').first().waitFor();
    await page.locator('section[aria-labelledby="history"] tbody tr').nth(1).locator('.text-link').click();
    await page.locator('section[aria-labelledby="source"]').getByRole('button', { name: /^Roll back to/ }).click();
    await page.locator('form').getByLabel('Message').fill('worse');
    await page.locator('form').getByRole('button', { name: /^Roll back to/ }).click();
    await page.locator('.rollout[data-rollout="3"][data-state="done"]').waitFor();
    await page.locator('.code', { hasText: 'return 41, nil' }).waitFor();
    await accessible(page, 'the inspector');
    equal(await page.evaluate(() => globalThis.ran), undefined, 'a message ran');
    await clean(page, 'the inspector');

    await page.goto(`${mesh.url}/rollouts`);
    await poll('three rollouts', async () => (await page.locator('tbody tr').count()) === 3);
    await accessible(page, 'the rollouts');
    await page.locator('tbody tr th a').last().click();
    await page.getByRole('heading', { name: 'Rollout 1' }).waitFor();
    await accessible(page, 'a rollout');

    // On a phone nothing is wider than the screen.
    await page.setViewportSize({ width: 390, height: 800 });
    for (const path of ['/inspectors', '/inspectors/e2e/answer', '/editor/e2e/answer', '/rollouts', '/rollouts/1']) {
      await page.goto(mesh.url + path);
      await page.locator('main h1').waitFor();
      await page.locator('main .card').first().waitFor();
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      ok(over <= 0, `${path} is ${over} px wider than a phone`);
      await clean(page, path);
    }
  } finally {
    await page.context().close();
    await mesh.stop();
  }
});

test('a push that does not do well is taken back, and says why; one can be paused and aborted', async ({ browser, vedette }) => {
  const mesh = await startMesh(vedette, ['db-1', 'db-2']);
  const page = await browser.page();
  try {
    await page.goto(`${mesh.url}/editor`);
    await page.locator('go-editor .cm-content').waitFor();
    await write(page, probe(1));
    await page.locator('[data-checked="0"]').waitFor();
    await page.locator('.push-panel').getByLabel('Each must stay healthy for').fill('1h');
    await page.getByRole('button', { name: 'Push', exact: true }).click();
    await page.getByRole('button', { name: 'Pause', exact: true }).last().waitFor();
    await page.locator('.rollout').getByRole('button', { name: 'Pause', exact: true }).click();
    await page.locator('.rollout[data-state="paused"]').waitFor();
    await page.locator('.rollout').getByRole('button', { name: 'Resume' }).click();
    await page.locator('.rollout[data-state="running"]').waitFor();
    await page.locator('.rollout').getByRole('button', { name: 'Abort and roll back' }).click();
    await page.locator('.rollout[data-state="rolled back"]').waitFor();
    equal(await page.locator('.stages li[data-stage="not reached"]').count(), 1, 'stages that were not reached');

    await write(page, probe(1).replace('return 1, nil', 'return 0, fmt.Errorf("no such device")'));
    await page.locator('[data-checked="0"]').waitFor();
    await page.locator('.push-panel').getByLabel('Each must stay healthy for').fill('1s');
    await page.getByRole('button', { name: 'Push', exact: true }).click();
    await page.locator('.rollout[data-rollout="2"][data-state="rolled back"]').waitFor();
    await page.locator('.rollout tr', { hasText: 'no such device' }).first().waitFor();
    await clean(page, 'the editor');
  } finally {
    await page.context().close();
    await mesh.stop();
  }
});

test('hosts that want signed code say so before a push, with the command that signs', async ({ browser, vedette }) => {
  const dir = mkdtempSync(join(tmpdir(), 'vedette-key-'));
  const made = spawnSync(vedette, ['key', '--out', join(dir, 'signing.pem')], { encoding: 'utf8' });
  const key = /ed25519:[A-Za-z0-9+/=]+/.exec(made.stdout + made.stderr)?.[0];
  ok(key, `no key in ${made.stdout}${made.stderr}`);
  const mesh = await startMesh(vedette, ['db-1', 'db-2'], {
    agents: (host) => (host === 'db-2' ? `  policy:\n    signers:\n      - ${key}\n` : ''),
  });
  const page = await browser.page();
  try {
    await page.goto(`${mesh.url}/editor`);
    await page.locator('.refusals li', { hasText: 'db-2' }).waitFor();
    equal(await page.locator('.refusals li').count(), 1, 'hosts that will refuse');
    ok((await page.locator('.refusals pre').textContent()).includes('--sign-key signing.pem'), 'the command that signs');
    equal(await axe(page), [], 'axe');
    await clean(page, 'the editor');
  } finally {
    await page.context().close();
    await mesh.stop();
    rmSync(dir, { recursive: true, force: true });
  }
});

test('nothing hostile runs: sources, messages and what scripts print', async ({ browser, vedette }) => {
  const evil = '<img src=x onerror="globalThis.ran = 1"><script>globalThis.ran = 1</script>';
  const mesh = await startMesh(vedette, ['db-1']);
  const page = await browser.page();
  try {
    const file = join(tmpdir(), `evil-${process.pid}.go`);
    const source = `// ${evil}\n//vedette:name evil\npackage evil\n\nimport (\n\t"errors"\n\t"fmt"\n)\n\nfunc Inspect() (float64, error) {\n\tfmt.Println(\`${evil}\`)\n\treturn 0, errors.New(\`${evil}\`)\n}\n`;
    writeFileSync(file, source);
    spawnSync(vedette, ['push', file, '--master', mesh.url, '-m', evil, '--no-wait'], { encoding: 'utf8' });
    rmSync(file);
    await page.goto(`${mesh.url}/inspectors/evil`);
    await page.locator('.reason', { hasText: 'onerror' }).first().waitFor();
    await page.locator('.code', { hasText: '<script>' }).waitFor();
    await page.goto(`${mesh.url}/rollouts`);
    await page.locator('.reason', { hasText: 'onerror' }).first().waitFor();
    await page.goto(`${mesh.url}/editor/evil`);
    await page.locator('go-editor .cm-line', { hasText: 'onerror' }).first().waitFor();
    await page.getByRole('button', { name: 'Try', exact: true }).click();
    await page.locator('.printed', { hasText: 'onerror' }).waitFor();
    await page.locator('.try .said', { hasText: 'onerror' }).first().waitFor();
    equal(await page.evaluate(() => globalThis.ran), undefined, 'something ran');
    await clean(page, 'the pages');
  } finally {
    await page.context().close();
    await mesh.stop();
  }
});

test('a viewer is offered nothing that it may not do', async ({ browser, vedette }) => {
  const made = spawnSync(vedette, ['token', '--json', '--role', 'viewer', '--name', 'eve'], { encoding: 'utf8' });
  const t = JSON.parse(made.stdout);
  const dir = mkdtempSync(join(tmpdir(), 'vedette-viewer-'));
  writeFileSync(join(dir, 'master.yaml'), `master:\n  tokens:\n    - {name: eve, role: viewer, sha256: ${t.sha256}}\n`);
  const master = new Child(vedette, ['master', '--listen', '127.0.0.1:0', '--config', join(dir, 'master.yaml')]);
  const page = await browser.page();
  try {
    await page.goto(await master.url());
    await page.getByLabel('Token', { exact: true }).fill(t.token);
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Inspectors' }).click();
    await page.locator('main h1').waitFor();
    equal(await page.getByRole('link', { name: /[Ww]rite/ }).count(), 0, 'ways to the editor');
    await page.goto(`${await master.url()}/editor`);
    await page.getByRole('heading', { name: 'This page is for operators' }).waitFor();
    equal(await page.locator('go-editor').count(), 0, 'editors');
  } finally {
    await page.context().close();
    await master.stop();
    rmSync(dir, { recursive: true, force: true });
  }
});
