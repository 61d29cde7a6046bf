/** Run the unit tests by node's own runner, bundled by the build's tools: `npm test`, `npm test -- format`. */

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { build } from 'vite';

process.chdir(new URL('..', import.meta.url).pathname);
const wanted = process.argv.slice(2);
const out = '.build/test';
const names = readdirSync('test')
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => name.replace(/\.ts$/, ''))
  .filter((name) => !wanted.length || wanted.some((one) => name.includes(one)));
if (!names.length) {
  console.error(`No test file is named like ${wanted.join(', ')}.`);
  process.exit(1);
}
await build({
  configFile: false,
  plugins: [svelte()],
  logLevel: 'warn',
  build: {
    ssr: true,
    outDir: out,
    emptyOutDir: true,
    rollupOptions: { input: Object.fromEntries(names.map((name) => [name, `test/${name}.ts`])), output: { entryFileNames: '[name].mjs' } },
  },
});
const files = names.map((name) => `${out}/${name}.mjs`);
const run = spawnSync(process.execPath, ['--test-timeout=60000', '--test', ...files], {
  stdio: 'inherit',
  // Numbers and times as the tests write them, wherever they run.
  env: { ...process.env, LC_ALL: 'en_US.UTF-8', TZ: 'UTC' },
});
process.exit(run.status ?? 1);
