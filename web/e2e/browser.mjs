// A browser for tests, and what they ask of every page.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The browser to use: CHROMIUM, or the first one found in PATH. */
export function findChromium() {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const found = process.env.CHROMIUM
    ? [process.env.CHROMIUM]
    : (process.env.PATH ?? '').split(delimiter).flatMap((dir) => names.map((n) => join(dir, n)));
  for (const file of found) {
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // The next one.
    }
  }
  throw new Error('cannot find Chromium: install it (apt install chromium) or set CHROMIUM to its file');
}

/** Starts a browser with an empty profile. close() is its pair. */
export async function startBrowser() {
  const profile = mkdtempSync(join(tmpdir(), 'vedette-chromium-'));
  const contexts = [];
  let first = await chromium.launchPersistentContext(profile, {
    executablePath: findChromium(),
    headless: true,
    args,
    viewport: { width: 1280, height: 800 },
  });
  const browser = first.browser();
  return {
    /** A page of its own, which notes what goes wrong on it. */
    async page(options = {}) {
      const context = browser ? await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options }) : first;
      contexts.push(context);
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      page.faults = [];
      page.violations = [];
      page.sockets = 0;
      page.on('pageerror', (e) => page.faults.push(String(e)));
      page.on('websocket', () => page.sockets++);
      page.on('console', (m) => {
        if (/Content.Security.Policy|TrustedHTML|Trusted Type/i.test(m.text())) page.violations.push(m.text());
      });
      await page.addInitScript(() => {
        globalThis.cspViolations = [];
        addEventListener('securitypolicyviolation', (e) => {
          globalThis.cspViolations.push(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`);
        });
      });
      return page;
    },
    async close() {
      for (const c of contexts) await c.close().catch(() => {});
      await first.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** Violations of the policy that a page has seen, in both ways of hearing of them. */
export async function violations(page) {
  return [...(await page.evaluate(() => globalThis.cspViolations)), ...page.violations];
}

/** Fields whose hint has no room, one line each. */
function cutHints() {
  const pen = document.createElement('canvas').getContext('2d');
  return [...document.querySelectorAll('input[placeholder]')]
    .filter((field) => {
      const style = getComputedStyle(field);
      pen.font = style.font;
      const cross = field.type === 'search' ? 14 : 0; // what empties it
      const room = field.clientWidth - Number.parseFloat(style.paddingLeft) - Number.parseFloat(style.paddingRight) - cross;
      return field.clientWidth > 0 && pen.measureText(field.placeholder).width > room;
    })
    .map((field) => `no room for the hint “${field.placeholder}”`);
}

/** Faults of accessibility, and hints that are cut, one line each. The policy forbids scripts from us, so axe goes in by the debugger. */
export async function axe(page) {
  const client = await page.context().newCDPSession(page);
  await client.send('Runtime.evaluate', { expression: axeSource });
  const { result, exceptionDetails } = await client.send('Runtime.evaluate', {
    expression: `axe.run(document, { resultTypes: ['violations'] }).then((r) => JSON.stringify(r.violations.map((v) =>
      v.id + ': ' + v.help + ' (' + v.nodes.length + ') ' + v.nodes.slice(0, 3).map((n) => n.target.join(' ') + ' ' + (n.any[0]?.message ?? '')).join(' | '))))`,
    awaitPromise: true,
    returnByValue: true,
  });
  await client.detach();
  if (exceptionDetails) throw new Error(`axe: ${exceptionDetails.exception?.description}`);
  return [...JSON.parse(result.value), ...(await page.evaluate(cutHints))];
}
