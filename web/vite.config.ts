import { defineConfig } from 'vite';

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
          license: { fileName: 'third-party-licenses.md' },
        },
      },
);
