import { defineConfig } from 'vite';

/** What the first load needs, and later chunks too: one chunk, as ten small ones weigh more. */
const base = /node_modules.(preact|@preact|uplot)\b|src.(lib.(units|time|router)|charts.frame|data.store|ui.(kit|state|charts|panel))\.tsx?$/;

// Two bundles come out of one tree: the application, and the script that the
// master serves at /api/client (--mode client), which is one classic script
// for pages that know nothing of modules.
export default defineConfig(({ mode }) =>
  mode === 'client'
    ? {
        publicDir: false,
        build: {
          outDir: 'dist',
          emptyOutDir: false,
          target: 'es2018',
          sourcemap: false,
          lib: {
            entry: 'src/client/index.ts',
            name: 'vedetteClient',
            formats: ['iife'],
            fileName: () => 'client/mesh-client.js',
          },
        },
      }
    : {
        oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
        build: {
          outDir: 'dist',
          target: 'es2022',
          modulePreload: { polyfill: false },
          assetsInlineLimit: 0,
          sourcemap: false,
          manifest: 'manifest.json',
          rolldownOptions: {
            // The first load has the names of all later chunks: six letters tell them apart.
            output: { codeSplitting: { groups: [{ name: 'base', test: base }] }, chunkFileNames: 'assets/[name]-[hash:6].js', assetFileNames: 'assets/[name]-[hash:6][extname]' },
          },
          license: { fileName: 'third-party-licenses.md' },
        },
      },
);
