// /api/client: a page in the walkthrough's way, and the surface it may use.

import { copyFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, drawnPixels, equal, ok, poll, test, webDir } from './harness.mjs';

/** The walkthrough's page with its chart library beside it, as somebody would install it. */
function walkthroughFolder() {
  const dir = mkdtempSync(join(tmpdir(), 'vedette-walkthrough-'));
  cpSync(join(webDir, 'e2e/walkthrough'), dir, { recursive: true });
  copyFileSync(createRequire(import.meta.url).resolve('smoothie/smoothie.js'), join(dir, 'smoothie.js'));
  return dir;
}

const log = (page) => page.evaluate(() => globalThis.log);
const hosts = (page) => page.locator('.host h2').allTextContents();

test('a page of the walkthrough logs in, draws, drops a silent host and takes it back', async ({ browser, vedette }) => {
  const dir = walkthroughFolder();
  const serve = (listen) => new Child(vedette, ['master', '--listen', listen, '--static', `/master/app=${dir}`]);
  let master = serve('127.0.0.1:0');
  const url = await master.url();
  const start = () => new Child(vedette, ['agent', '--master', url, '--host', 'web-1']);
  let agent = start();
  const page = await browser.page();
  try {
    await page.goto(`${url}/master/app/`);
    await poll('the login', async () => (await log(page)).includes('login/allow'));
    await poll('a subscription', async () => (await log(page)).includes('on number'));
    await poll('a panel', async () => (await hosts(page)).includes('web-1'));
    await poll('a chart of the load', async () => (await page.locator('h3').allTextContents()).some((t) => /^load \(.*average-1/.test(t)));
    await poll('drawn lines', () => drawnPixels(page, '.host canvas'));

    await agent.stop('SIGKILL');
    await poll('the silent host goes', async () => (await hosts(page)).length === 0);
    agent = start();
    await poll('and comes back', async () => (await hosts(page)).includes('web-1'));

    await master.stop('SIGKILL');
    await poll('a lost master', async () => (await log(page)).includes('reconnect/scheduled'));
    master = serve(new URL(url).host);
    await poll('a master found again', async () => (await log(page)).includes('reconnect/successful'), { times: 600 });
    await poll('its data', async () => (await hosts(page)).includes('web-1'), { times: 600 });
    equal(page.faults, [], 'errors on the page');
  } finally {
    await agent.stop();
    await master.stop();
    await page.context().close();
    rmSync(dir, { recursive: true, force: true });
  }
});

async function bare(browser, url) {
  const page = await browser.page();
  await page.goto(`${url}/bare/`);
  return page;
}

test('the surface of MeshClient', async ({ browser, dev }) => {
  const page = await bare(browser, dev);
  const seen = await page.evaluate(async () => {
    const out = {};
    const client = new globalThis.MeshClient();
    await client.login();
    out.info = typeof client.info.name;
    out.promise = (await client.exchange.master.info()).name;
    out.callback = await new Promise((done) => client.exchange.master.info((e, r) => done([e, r.name])));
    out.mesh = (await client.exchange.MasterNode.master.info()).name;
    out.unknown = await client.exchange.master.nothing().catch((e) => e.message);
    out.callbackError = await new Promise((done) => client.exchange.master.nothing(1, 2, (e) => done(e.message)));
    out.reported = await client.exchange.master.reportMetric('web-9', { ts: Date.now(), key: 'load/average-1', val: 0.25 });
    const event = await new Promise((done) => {
      client.event.master.on('metrics/web-9/*', (data, meta) => done({ data, meta }), (e, id) => {
        out.id = [e, typeof id];
        void client.exchange.master.reportMetric('web-9', { ts: 1700000000000, key: 'load/average-5', val: 1.5 });
      });
    });
    const { ts, key, val } = event.data;
    out.data = { ts, key, val };
    out.path = event.meta.path;
    out.type = event.meta.type;
    out.meta = Object.keys(event.meta).sort();
    let after = 0;
    const id = await client.event.master.on('metrics/*/load/*', () => after++);
    await new Promise((done) => client.event.master.off(id, done));
    await client.event.master.offPath('metrics/web-9/*');
    await client.exchange.master.reportMetric('web-9', { ts: Date.now(), key: 'load/x', val: 1 });
    await client.exchange.master.info();
    const before = after;
    await new Promise((done) => client.disconnect(done));
    out.ended = await client.exchange.master.info().catch((e) => e.message);
    out.quiet = before === after;
    return out;
  });
  equal(seen.info, 'string', 'info.name');
  equal([seen.promise, seen.mesh], [seen.callback[1], seen.callback[1]], 'three ways of a call');
  equal(seen.callback[0], null, 'the error of a good call');
  ok(/nothing/.test(seen.unknown) && /nothing/.test(seen.callbackError), `an unknown method: ${seen.unknown}`);
  equal(seen.id, [null, 'number'], 'what on() tells');
  equal(seen.data, { ts: 1700000000000, key: 'load/average-5', val: 1.5 }, 'the data of an event');
  equal(seen.path, '/_events/MasterNode/master/metrics/web-9/load/average-5', 'the path of an event');
  equal(seen.type, 'data', 'the type of an event');
  equal(seen.meta, ['action', 'channel', 'created', 'path', 'sessionId', 'type'], 'the members of meta');
  equal(seen.ended, 'not connected', 'a call after the end');
  equal(page.faults, [], 'errors on the page');
  await page.context().close();
});

test('a login that reaches nobody is an error, told in every way', async ({ browser, dev }) => {
  const page = await bare(browser, dev);
  const heard = await page.evaluate(
    () =>
      new Promise((done) => {
        const out = [];
        // Nobody listens on port 9 of this machine.
        const client = new globalThis.MeshClient({ host: '127.0.0.1', port: 9 });
        client.login({}, (e) => out.push(`callback ${e instanceof Error}`)).catch((e) => out.push(`promise ${e instanceof Error}`));
        client.on('login/error', (e) => {
          out.push(`event ${e instanceof Error}`);
          setTimeout(() => done(out.sort()));
        });
      }),
  );
  equal(heard, ['callback true', 'event true', 'promise true'], 'what was heard');
  await page.context().close();
});
