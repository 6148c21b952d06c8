import { defineConfig } from 'vitest/config';

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  resolve: { mainFields: ['module', 'main'] },
  server: { fs: { allow: ['..'] } }, // a spec reads the protocol
  // No test depends on how fast the machine is.
  test: {
    testTimeout: 120_000,
    hookTimeout: 120_000,
    environment: 'happy-dom',
    // The editor's parts must all be of one kind of module, or there are two of each.
    server: { deps: { inline: [/codemirror/, /lezer/] } },
    include: ['src/**/*.test.ts', 'src/**/*.test.tsx'],
  },
});
