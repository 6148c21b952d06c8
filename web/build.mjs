// Builds dist: both bundles, then build-info.json, by which a Go test proves
// without Node that dist is what the sources build.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('.', import.meta.url));
process.chdir(root);

await build({ mode: 'production', logLevel: 'warn' });
await build({ mode: 'client', logLevel: 'warn' });

const files = [
  'build.mjs',
  'index.html',
  'package-lock.json',
  'package.json',
  'tsconfig.json',
  'vite.config.ts',
  ...walk('public'),
  ...walk('src'),
].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

// The sum runs over "<path>\n<sha256 of the content>\n" of each file in the
// order of its path's bytes; line ends count as \n whatever the checkout made.
const sum = createHash('sha256');
for (const file of files) {
  const content = readFileSync(join(root, file), 'latin1').replaceAll('\r\n', '\n');
  sum.update(`${file}\n${createHash('sha256').update(content, 'latin1').digest('hex')}\n`);
}
const info = { source_sha256: sum.digest('hex'), files: files.length };
writeFileSync(join(root, 'dist/build-info.json'), JSON.stringify(info, null, 2) + '\n');
console.log(`dist is built from ${files.length} files, ${info.source_sha256.slice(0, 12)}`);

function walk(dir) {
  return readdirSync(join(root, dir), { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile() && !/\.test\.tsx?$/.test(e.name))
    .map((e) => relative(root, join(e.parentPath, e.name)).split(sep).join('/'));
}
