// Names and values that nobody chose: the page has room for them, and says what they are.

import { axe } from './browser.mjs';
import { FakeHost, FakeMaster, usualInspectors } from './fake-master.mjs';
import { equal, ok, poll, test } from './harness.mjs';

const one = (list) => list[Math.floor(Math.random() * list.length)];
const word = (length) => Array.from({ length }, () => one('abcdefghijklmnopqrstuvwxyz0123456789-_')).join('').replace(/^[-_]/, 'x');
const anyNumber = () => (Math.random() - 0.5) * 10 ** (Math.random() * 600 - 292);

function oddHosts() {
  const units = ['', '_bytes', '_seconds', '_percent', '_celsius', '_total', '_bytes_total', '_seconds_total'];
  return Array.from({ length: 6 }, (_, i) => {
    const series = units.flatMap((unit, n) => [0, 1, 2].map(() => [`odd-${n}/${word(1 + Math.floor(Math.random() * 60))}${unit}`, { q: one(['"', '\\', '日本', '🚀 a b', word(200)]) }, unit.endsWith('total') ? 'counter' : 'gauge', 1, anyNumber]));
    const inspectors = [25, 47, 100].map((length) => ({ ...usualInspectors()[0], name: `${word(length)}/${word(length)}`, state: one(['ok', 'failing']), error: word(300) }));
    return new FakeHost(word([1, 25, 47, 63][i % 4]), { series, inspectors, skew: one([0, -90_000, 7_200_000]), extra: { labels: { role: word(60), note: 'a "quoted" one' } } });
  });
}

/** Texts that have less room than they need, and reach over what is beside them. */
const cut = (page) =>
  page.evaluate(() => {
    const legends = [...document.querySelectorAll('.legend.columns b')].filter((b) => b.scrollWidth > b.clientWidth + 1).map((b) => `value ${b.textContent}`);
    const tables = [...document.querySelectorAll('.scroll')]
      .filter((s) => s.scrollWidth > s.clientWidth + 1)
      .filter((s) => s.querySelector('tbody tr > :nth-child(2)')?.getBoundingClientRect().left > innerWidth * 0.6)
      .map((s) => `table ${s.getAttribute('aria-label') ?? s.getAttribute('aria-labelledby')}`);
    const axes = [...document.querySelectorAll('live-chart')].filter((c) => c.drawn.frame.times.length > 0 && !c.querySelector('.plot canvas')).map((c) => `no plot of ${c.dataset.chart}`);
    return [...legends, ...tables, ...axes, ...(document.documentElement.scrollWidth > innerWidth ? ['the page is wider than the screen'] : [])];
  });

test('names and values that nobody chose have room on each page', async ({ browser }) => {
  const hosts = oddHosts();
  const master = await new FakeMaster({ hosts }).listen();
  try {
    for (const [width, height] of [[1280, 800], [390, 780]]) {
      const page = await browser.page({ viewport: { width, height } });
      for (const host of hosts.slice(0, 4)) {
        await page.goto(`${master.url}/hosts/${encodeURIComponent(host.name)}`);
        await poll('values', async () => /\d/.test((await page.locator('.legend.columns b').allTextContents()).join('')));
        await page.locator('.inspectors table').waitFor();
        equal(await cut(page), [], `cut at ${width} px, host ${host.name}`);
      }
      equal(await axe(page), [], `axe at ${width} px`);
      for (const path of ['/', '/hosts', '/hosts?as=charts', '/inspectors']) {
        await page.goto(master.url + path);
        await page.locator('main').getByText(/[a-z]/).first().waitFor();
        await page.locator(':is(.rows-body a, .wrong a, .panel h2 a, tbody a)').first().waitFor();
        equal(await cut(page), [], `cut at ${width} px on ${path}`);
      }
      equal(page.faults, [], 'errors on the page');
      await page.context().close();
    }
  } finally {
    await master.close();
  }
});

test('each value of a legend is one number and one unit', async ({ browser }) => {
  const hosts = oddHosts().slice(0, 1);
  const master = await new FakeMaster({ hosts }).listen();
  try {
    const page = await browser.page();
    await page.goto(`${master.url}/hosts/${encodeURIComponent(hosts[0].name)}`);
    const texts = () => page.locator('.legend.columns b').allTextContents();
    const told = await poll('values', async () => ((await texts()).some((t) => /\d/.test(t)) ? texts() : null));
    const odd = told.filter((t) => !/^(–|steady|[↗↘]( ×?-?[\d.e]+( %)?)?|-?\d+(\.\d+)?(e-?\d+)?( ?(%|°C|[kMGTP]|([KMGTPE]i)?B|[nµm]?s|d|h|min)( \d+ (h|min|s))?)?|)$/.test(t));
    equal(odd, [], 'texts that are no values');
    ok(told.length > 20, `only ${told.length} values`);
    await page.context().close();
  } finally {
    await master.close();
  }
});
