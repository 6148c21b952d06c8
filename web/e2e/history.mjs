// Charts with a past, against the real program: what was before the page
// opened, what was missed while the link was down, and hours of it.

import { createConnection, createServer } from 'node:net';
import { WebSocket } from 'ws';
import { axe, violations } from './browser.mjs';
import { Child, drawnPixels, equal, ok, poll, test } from './harness.mjs';

const second = 1000;
const minute = 60 * second;

/** Calls of the master's, from outside of the page. */
async function connect(url) {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/rpc`, 'vedette.v1.json');
  const pending = new Map();
  let id = 0;
  await new Promise((done, fail) => ws.on('open', done).on('error', fail));
  ws.on('message', (data) => {
    const m = JSON.parse(data);
    const call = pending.get(m.id);
    pending.delete(m.id);
    if (m.error) call?.fail(new Error(m.error.message));
    else call?.done(m.result);
  });
  return {
    call: (method, params) =>
      new Promise((done, fail) => {
        pending.set(++id, { done, fail });
        ws.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
      }),
    close: () => ws.close(),
  };
}

/** All samples of one series as the page has them, as [time, value]. */
const onPage = (page, host, key) =>
  page.evaluate(
    ([h, k]) => {
      for (const chart of document.querySelectorAll('live-chart')) {
        if (chart.dataset.host !== h) continue;
        const series = chart.series.find((s) => s.key === k);
        if (series) return series.times.map((t, i) => [t, series.values[i]]);
      }
      return [];
    },
    [host, key],
  );

/** All samples of one series as the master has them. */
async function onMaster(rpc, host, key, from, to) {
  const range = await rpc.call('history.range', { pattern: `metrics/${host}/${key}`, from_ms: from, to_ms: to, points: 10_000 });
  return range.t.map((t, i) => [t, range.v[i]]);
}

/** What was drawn last of one chart: rows of [seconds, low, high] of one line. */
const drawn = (page, chart, line) =>
  page.evaluate(
    ([c, l]) => {
      for (const chart of document.querySelectorAll(`live-chart[data-chart="${c}"]`)) {
        const { lines, frame } = chart.drawn;
        const i = lines.indexOf(l);
        if (i >= 0) return frame.times.map((t, r) => [t, frame.lows?.[i][r], frame.columns[i][r]]);
      }
      return [];
    },
    [chart, line],
  );

async function hostOf(url) {
  const rpc = await connect(url);
  try {
    return await poll('a host', async () => (await rpc.call('hosts.list')).hosts[0]?.host);
  } finally {
    rpc.close();
  }
}

/** Fails unless the page has exactly the samples of the master, each once, over the whole time of both. */
async function sameAsMaster(page, rpc, host, key, from) {
  const shown = (await onPage(page, host, key)).filter(([t]) => t >= from);
  const to = shown.at(-1)[0];
  equal(shown, await onMaster(rpc, host, key, from, to), `${key} on the page and in the history`);
  shown.forEach(([t], i) => ok(i === 0 || t > shown[i - 1][0], 'each sample once, in order'));
  return shown;
}

test('a page shows what was before it was opened, and goes on without a seam', async ({ browser, vedette }) => {
  const dev = new Child(vedette, ['dev', '--listen', '127.0.0.1:0']);
  const url = await dev.url();
  const rpc = await connect(url);
  const page = await browser.page();
  try {
    const host = await hostOf(url);
    const [first] = await poll(
      'twenty seconds of samples',
      async () => {
        const all = await onMaster(rpc, host, 'load/average-1', Date.now() - minute, Date.now());
        return all.length >= 20 && all;
      },
      { times: 600 },
    );
    const opened = Date.now();
    await page.goto(url);
    await poll('samples from before the page', async () => (await onPage(page, host, 'load/average-1'))[0]?.[0] <= first[0]);
    await poll('five samples that came live', async () => (await onPage(page, host, 'load/average-1')).filter(([t]) => t > opened).length >= 5);
    for (const key of ['load/average-1', 'memory/used_bytes']) await sameAsMaster(page, rpc, host, key, first[0]);
    const rows = await drawn(page, 'load', 'load/average-1');
    const begin = rows.findIndex((r) => typeof r[2] === 'number');
    ok(rows[begin][0] * 1000 < opened - 15 * second, 'the line begins long before the page');
    ok(rows.slice(begin).every((r) => r[2] !== null), 'and has no gap');
    const rates = (await page.evaluate(() => document.querySelector('live-chart[data-chart="network"]').drawn.frame)).columns;
    ok(rates.flat().every((v) => v === null || v === undefined || (v >= 0 && v < 1e10)), 'counters grow, over the seam too');
    ok((await drawnPixels(page, 'live-chart[data-chart="load"] canvas')) > 0, 'it is on the canvas');
    equal(page.sockets, 1, 'WebSockets');
    equal(page.faults, [], 'errors on the page');
    equal(await violations(page), [], 'violations of the policy');
  } finally {
    rpc.close();
    await page.context().close();
    await dev.stop();
  }
});

/** A way to the master that can be cut. */
async function cable(url) {
  const sockets = new Set();
  let whole = true;
  const server = createServer((near) => {
    if (!whole) return void near.destroy();
    const far = createConnection(Number(new URL(url).port), '127.0.0.1');
    for (const [a, b] of [[near, far], [far, near]]) {
      sockets.add(a);
      a.pipe(b);
      a.on('error', () => {}).on('close', () => {
        sockets.delete(a);
        b.destroy();
      });
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const cut = () => {
    whole = false;
    for (const s of sockets) s.destroy();
  };
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    cut,
    mend: () => (whole = true),
    close: () => {
      cut();
      server.close();
    },
  };
}

test('what was missed while the link was down is filled in', async ({ browser, vedette }) => {
  const dev = new Child(vedette, ['dev', '--listen', '127.0.0.1:0']);
  const url = await dev.url();
  const rpc = await connect(url);
  const way = await cable(url);
  const page = await browser.page();
  try {
    const host = await hostOf(url);
    await page.goto(way.url);
    const shown = () => onPage(page, host, 'load/average-1');
    await poll('samples', async () => (await shown()).length >= 4);
    const [begin] = (await shown())[0];
    way.cut();
    const last = await poll('the loss is seen', async () => (await page.locator('.link').getAttribute('data-link')) !== 'live' && (await shown()).at(-1)[0]);
    await poll('seconds that the page misses', async () => (await onMaster(rpc, host, 'load/average-1', last + 1, Date.now())).length >= 5);
    equal((await shown()).at(-1)[0], last, 'nothing came meanwhile');
    way.mend();
    const after = await poll('live again', async () => (await shown()).at(-1)[0] > last + 5 * second && (await shown()).at(-1)[0], { times: 600 });
    await poll('two more', async () => (await shown()).at(-1)[0] > after + 2 * second);
    await sameAsMaster(page, rpc, host, 'load/average-1', begin);
    const rows = await drawn(page, 'load', 'load/average-1');
    ok(rows.slice(rows.findIndex((r) => typeof r[2] === 'number')).every((r) => r[2] !== null), 'and no gap is drawn');
    equal(page.sockets >= 2, true, 'the page has connected again');
  } finally {
    rpc.close();
    way.close();
    await page.context().close();
    await dev.stop();
  }
});

test('a master that starts again with its files has its past', async ({ browser, vedette }) => {
  const folder = new Child(vedette, ['version']);
  await folder.ended;
  const start = (listen) => new Child(vedette, ['dev', '--listen', listen, '--data', folder.dir]);
  let dev = start('127.0.0.1:0');
  const url = await dev.url();
  const page = await browser.page();
  let rpc;
  try {
    const host = await hostOf(url);
    await page.goto(url);
    await poll('ten samples', async () => (await onPage(page, host, 'load/average-1')).length >= 10, { times: 300 });
    const before = await onPage(page, host, 'load/average-1');
    await dev.stop();
    dev = start(new URL(url).host);
    await dev.url();
    const again = await browser.page();
    await again.goto(url);
    await poll('the past on a new page', async () => (await onPage(again, host, 'load/average-1'))[0]?.[0] <= before[0][0]);
    rpc = await connect(url);
    await sameAsMaster(again, rpc, host, 'load/average-1', before[0][0]);
    await again.context().close();
    // The page that stayed open has what was, and what it missed.
    const last = before.at(-1)[0];
    await poll('the old page goes on', async () => (await onPage(page, host, 'load/average-1')).at(-1)[0] > last + 3 * second, { times: 600 });
    await poll('and misses nothing', async () => {
      const shown = (await onPage(page, host, 'load/average-1')).filter(([t]) => t >= last);
      const kept = await onMaster(rpc, host, 'load/average-1', last, shown.at(-1)[0]);
      return JSON.stringify(shown) === JSON.stringify(kept);
    });
    equal(page.faults, [], 'errors on the page');
  } finally {
    rpc?.close();
    await page.context().close();
    await dev.stop();
    await folder.stop();
  }
});

test('an hour, six and a day: bands from the lowest to the highest, counters as averages', async ({ browser, vedette }) => {
  const master = new Child(vedette, ['master', '--listen', '127.0.0.1:0']);
  const url = await master.url();
  const rpc = await connect(url);
  const page = await browser.page();
  const now = Date.now();
  const spike = now - 40 * minute + 3 * second;
  let counted = 0;
  try {
    // Five hours, a sample each five seconds, and one sample of a spike.
    const hello = { protocol: 1, host: 'old', agent_id: 'a', boot_id: 'b', version: 'test', os: 'linux', arch: 'amd64', started_ms: now, now_ms: now };
    await rpc.call('master.hello', hello);
    const series = [
      { id: 1, key: 'queue/depth' },
      { id: 2, key: 'queue/jobs_total', kind: 'counter' },
    ];
    for (let begin = now - 5 * 60 * minute, seq = 1; begin < now; begin += 30 * minute, seq++) {
      const report = { boot_id: 'b', seq, series: seq === 1 ? series : undefined, t: [], s: [], v: [] };
      const add = (t, s, v) => (report.t.push(t), report.s.push(s), report.v.push(v));
      for (let t = begin; t < Math.min(now, begin + 30 * minute); t += 5 * second) {
        add(t, 1, 10 + (Math.floor(t / 5000) % 3));
        if (spike > t && spike < t + 5 * second) add(spike, 1, 500);
        add(t, 2, (counted += 35));
      }
      const { refused, reason } = await rpc.call('master.report', report);
      ok(!refused, `${refused} samples refused: ${reason}`);
    }
    await page.goto(`${url}/?window=1h`);
    equal(await page.getByRole('button', { name: '1 h', exact: true }).getAttribute('aria-pressed'), 'true', 'the window of the address');
    for (const [label, address, span] of [
      ['1 h', '1h', 60],
      ['6 h', '6h', 300],
      ['24 h', '24h', 300],
    ]) {
      await page.getByRole('button', { name: label, exact: true }).click();
      const rows = await poll(`${label} of depth`, async () => {
        const all = (await drawn(page, 'queue', 'queue/depth')).filter((r) => typeof r[2] === 'number');
        return all.length > 0 && all[0][0] * 1000 <= now - (span - 9) * minute && all;
      });
      if (label !== '1 h') equal(new URL(page.url()).searchParams.get('window'), address, 'the address');
      ok(rows.length <= 362, `${rows.length} columns`);
      equal(rows.filter((r) => r[2] === 500).length, 1, `${label}: the spike in one column`);
      const at = rows.find((r) => r[2] === 500);
      ok(Math.abs(at[0] * 1000 - spike) <= 2 * minute + 1 && at[1] >= 10 && at[1] <= 12, 'where it was, with its lowest');
      ok(rows.every((r) => r[1] >= 10 && r[1] <= r[2]), 'lowest and highest');
      const unit = await page.locator('live-chart[data-unit=""] .unit').textContent();
      ok(/lowest to highest of (10 s|1 min|4 min)/.test(unit), `what the title says: ${unit}`);
    }
    const rates = await page.evaluate(() => {
      const { frame } = document.querySelector('live-chart[data-unit="/s"]').drawn;
      return { rates: frame.columns[0].filter((v) => typeof v === 'number'), lows: frame.lows ?? null };
    });
    ok(rates.rates.length > 60 && rates.rates.every((v) => Math.abs(v - 7) < 0.01), `7 jobs a second: ${rates.rates.slice(0, 5)}`);
    equal(rates.lows, null, 'a counter is a line');
    ok(/average over 4 min/.test(await page.locator('live-chart[data-unit="/s"] .unit').textContent()), 'and its title says so');

    const plot = page.locator('live-chart[data-unit=""] .plot');
    await plot.focus();
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowLeft'); // the last column may have begun just now
    const status = page.locator('p[role="status"]');
    await poll('the crosshair tells a range', async () => /10 – 12/.test(await status.textContent()));
    await page.keyboard.press('Escape');
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      equal(await axe(page), [], `axe (${colorScheme})`);
    }
    await page.goto(url);
    equal(await page.getByRole('button', { name: '24 h', exact: true }).getAttribute('aria-pressed'), 'true', 'the window that is remembered');
    await page.locator('.panel h2 a').click();
    await page.getByRole('button', { name: '15 min', exact: true }).click();
    await poll('fifteen minutes whole', async () => (await onPage(page, 'old', 'queue/depth')).length >= 179);
    equal(page.faults, [], 'errors on the page');
    equal(await violations(page), [], 'violations of the policy');
  } finally {
    rpc.close();
    await page.context().close();
    await master.stop();
  }
});
