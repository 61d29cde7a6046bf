import { svelte } from '@sveltejs/vite-plugin-svelte';
import { copyFileSync, mkdirSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';

const API = process.env.PLAYHEAD_API ?? 'http://127.0.0.1:8700';

// The reference of the API (/docs) is a page of its own; what it shows itself with comes along unchanged.
const REFERENCE = {
  'swagger-ui-bundle.js': 'swagger-ui-bundle.js',
  'swagger-ui.css': 'swagger-ui.css',
  'swagger-ui-bundle.js.LICENSE.txt': 'swagger-ui-bundle.license.txt',
  LICENSE: 'swagger-ui.license.txt',
  NOTICE: 'swagger-ui.notice.txt',
};

function reference(): Plugin {
  return {
    name: 'reference',
    apply: 'build',
    writeBundle({ dir = 'dist' }) {
      mkdirSync(`${dir}/docs`, { recursive: true });
      for (const [from, to] of Object.entries(REFERENCE)) {
        copyFileSync(new URL(`node_modules/swagger-ui-dist/${from}`, import.meta.url), `${dir}/docs/${to}`);
      }
    },
  };
}

// Addresses are relative, so that one build works at any path; nothing is inlined, so that the
// content security policy can allow files of this server and nothing else.
export default defineConfig({
  base: './',
  plugins: [svelte(), reference()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    cssTarget: 'es2022',
  },
  server: { proxy: Object.fromEntries(['/v0', '/v1', '/openapi.json', '/sdk', '/docs'].map((path) => [path, API])) },
});
