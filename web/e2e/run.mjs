// Runs the tests in a browser against the real program. VEDETTE names a built
// one; CHROMIUM names the browser; an argument filters by name.

import { startBrowser } from './browser.mjs';
import { barePage, buildVedette, Child, runTests } from './harness.mjs';
import './live.mjs';
import './history.mjs';
import './states.mjs';
import './time.mjs';
import './palette.mjs';
import './explore.mjs';
import './alerts.mjs';
import './ask.mjs';
import './audit.mjs';
import './boards.mjs';
import './compare.mjs';
import './host.mjs';
import './hosts.mjs';
import './login.mjs';
import './inspectors.mjs';
import './members.mjs';
import './mesh-client.mjs';
import './notify.mjs';
import './odd.mjs';

const vedette = buildVedette();
const browser = await startBrowser();
const bare = barePage();
const dev = new Child(vedette.path, ['dev', '--listen', '127.0.0.1:0', '--static', `/bare=${bare.dir}`]);
let good = false;
try {
  good = await runTests({ browser, vedette: vedette.path, dev: await dev.url() }, process.argv[2]);
} finally {
  await dev.stop();
  await browser.close();
  bare.remove();
  vedette.remove();
}
process.exitCode = good ? 0 : 1;
