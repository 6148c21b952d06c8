// The time that charts show, against the real program: dragged over, moved, in
// the address, and back.

import { axe, violations } from './browser.mjs';
import { drawnPixels, equal, ok, poll, test } from './harness.mjs';

const frame = (page) =>
  page.evaluate(() => {
    const chart = [...document.querySelectorAll('live-chart[data-chart="load"]')][0];
    const { times, columns, lows } = chart.drawn.frame;
    return { times, columns, lows };
  });

test('a drag zooms, the address shows the same elsewhere, and the way back leads back', async ({ browser, dev }) => {
  const page = await browser.page();
  await page.goto(dev);
  const plot = page.locator('live-chart[data-chart="load"] .plot').first();
  await poll('twenty seconds of samples', async () => {
    const { times } = await frame(page).catch(() => ({ times: [] }));
    return times.length > 20 && times.at(-1) - times[0] > 20;
  });
  const box = await plot.locator('.u-over').boundingBox();
  // The last quarter of two minutes, without its end.
  await page.mouse.move(box.x + box.width * 0.75, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.85, box.y + 40, { steps: 4 });
  await page.mouse.move(box.x + box.width * 0.95, box.y + 40, { steps: 4 });
  await page.mouse.up();
  await poll('the address says from when to when', () => /from=.*&to=/.test(page.url()));
  const query = new URL(page.url()).searchParams;
  const [from, to] = ['from', 'to'].map((n) => Date.parse(query.get(n)) / 1000);
  ok(to - from > 18 && to - from < 30, `${to - from} s were chosen of 120, by a fifth of the width`);
  const inside = ({ times }) => times.length > 5 && times.every((t) => t >= from - 2 && t <= to + 2);
  await poll('what is drawn lies within', async () => inside(await frame(page)));
  ok(!(await page.getByRole('button', { name: '2 min', exact: true }).getAttribute('aria-pressed')).includes('true'), 'no window is pressed');

  const other = await browser.page();
  await other.goto(page.url());
  await poll('the same elsewhere', async () => {
    const [a, b] = [await frame(page), await frame(other).catch(() => null)];
    const values = (f) => f.columns[0].filter((v) => typeof v === 'number').length;
    // Each browser takes the clocks to be off by some milliseconds of its own.
    const near = b && Math.abs(a.times[0] - b.times[0]) < 1.5 && Math.abs(a.times.at(-1) - b.times.at(-1)) < 1.5;
    return near && inside(b) && Math.abs(values(a) - values(b)) <= 1 && values(b) > 5;
  });
  ok((await drawnPixels(other, 'live-chart[data-chart="load"] canvas')) > 0, 'and it is on the canvas');
  equal(await axe(other), [], 'axe');
  await other.context().close();

  await page.getByRole('button', { name: 'Zoom out' }).click();
  await poll('twice as much', () => {
    const q = new URL(page.url()).searchParams;
    return Math.abs((Date.parse(q.get('to')) - Date.parse(q.get('from'))) / 1000 - 2 * (to - from)) < 1;
  });
  await page.goBack();
  await poll('back', async () => new URL(page.url()).searchParams.get('from') === query.get('from') && inside(await frame(page)));
  await page.getByRole('button', { name: 'Live', exact: true }).click();
  await poll('what comes now', async () => Date.now() / 1000 - (await frame(page)).times.at(-1) < 5);
  ok(!/from=/.test(page.url()), 'the address names no range');
  equal(page.faults, [], 'errors on the page');
  equal(await violations(page), [], 'violations of the policy');
  await page.context().close();
});
