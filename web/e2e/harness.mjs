// The few things that tests need: a list of them, a way to wait that ends, and
// the real programs as child processes.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const webDir = fileURLToPath(new URL('..', import.meta.url));
export const repository = join(webDir, '..');

const tests = [];

/** Registers a test. It passes when fn resolves. */
export function test(name, fn) {
  tests.push({ name, fn });
}

/** Runs the tests whose names contain the filter. */
export async function runTests(context, filter = '') {
  let passed = 0;
  let failed = 0;
  for (const { name, fn } of tests.filter((t) => t.name.includes(filter))) {
    const begin = performance.now();
    try {
      await within(fn(context), 300_000, 'the test took longer than five minutes');
      passed++;
      console.log(`ok    ${name} (${Math.round(performance.now() - begin)} ms)`);
    } catch (e) {
      failed++;
      console.log(`FAIL  ${name}\n      ${String(e.stack ?? e).replaceAll('\n', '\n      ')}`);
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0;
}

function within(promise, ms, why) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(why)), ms)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Asks again until the answer is truthy, and returns it. It gives up after a minute: no test depends on how fast the machine is. */
export async function poll(what, ask, { times = 600, pause = 100 } = {}) {
  let last;
  for (let i = 0; i < times; i++) {
    last = await ask();
    if (last) return last;
    await new Promise((done) => setTimeout(done, pause));
  }
  throw new Error(`${what}: not so after ${times} looks`);
}

export function equal(got, want, what) {
  const [g, w] = [JSON.stringify(got), JSON.stringify(want)];
  if (g !== w) throw new Error(`${what}: got ${g}, want ${w}`);
}

export function ok(value, what) {
  if (!value) throw new Error(what);
}

/** Builds the program into a folder of its own, or takes the one that VEDETTE names. */
export function buildVedette() {
  if (process.env.VEDETTE) return { path: process.env.VEDETTE, remove: () => {} };
  const dir = mkdtempSync(join(tmpdir(), 'vedette-e2e-'));
  const path = join(dir, 'vedette');
  const built = spawnSync('go', ['build', '-o', path, './cmd/vedette'], { cwd: repository, stdio: 'inherit' });
  if (built.status !== 0) throw new Error('cannot build ./cmd/vedette');
  return { path, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** A program that runs until stop(). */
export class Child {
  constructor(path, args, options = {}) {
    this.args = args;
    this.dir = mkdtempSync(join(tmpdir(), 'vedette-child-'));
    this.output = '';
    this.process = spawn(path, args, {
      cwd: this.dir,
      env: { ...process.env, XDG_STATE_HOME: this.dir, LOG_LEVEL: 'info', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const note = (data) => (this.output += data);
    this.process.stdout.on('data', note);
    this.process.stderr.on('data', note);
    this.ended = new Promise((done) => this.process.on('exit', done));
  }

  /** The address that the program says it listens on. */
  url() {
    return poll(`an address from vedette ${this.args.join(' ')}`, () => {
      if (this.process.exitCode !== null) throw new Error(`it ended: ${this.output}`);
      return this.output.match(/http:\/\/127\.0\.0\.1:\d+/)?.[0];
    });
  }

  async stop(signal = 'SIGINT') {
    if (this.process.exitCode === null) this.process.kill(signal);
    await this.ended;
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A folder with one page that has only /api/client on it. */
export function barePage() {
  const dir = mkdtempSync(join(tmpdir(), 'vedette-bare-'));
  writeFileSync(join(dir, 'index.html'), '<script src="/api/client"></script>');
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** How many pixels of the canvases are of lines, not of the ground. */
export function drawnPixels(page, selector) {
  return page.evaluate((s) => {
    let coloured = 0;
    for (const canvas of document.querySelectorAll(s)) {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      for (let i = 0; i < data.length; i += 4) {
        const [r, g, b, a] = data.subarray(i, i + 4);
        if (a > 0 && Math.max(r, g, b) - Math.min(r, g, b) > 60) coloured++;
      }
    }
    return coloured;
  }, selector);
}
