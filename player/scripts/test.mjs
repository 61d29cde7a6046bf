/** Run the tests by node's own runner, each file bundled: `npm test`, `npm test -- transport`. */

import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

process.chdir(new URL('..', import.meta.url).pathname);
const wanted = process.argv.slice(2);
const out = '.build/test';

/** Return the test files below a folder. */
function tests(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return tests(path);
    return path.endsWith('.test.ts') ? [path] : [];
  });
}

const files = tests('test').filter((path) => !wanted.length || wanted.some((w) => path.includes(w)));
if (!files.length) {
  console.error(`No test file is named like ${wanted.join(', ')}.`);
  process.exit(1);
}
if (!wanted.length) rmSync(out, { recursive: true, force: true });
await build({
  entryPoints: files,
  outdir: out,
  outbase: 'test',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  sourcemap: 'inline',
  outExtension: { '.js': '.mjs' },
  logLevel: 'warning',
});
const made = files.map((path) => `${out}/${path.slice('test/'.length).replace(/\.ts$/, '.mjs')}`);
const run = spawnSync(process.execPath, ['--enable-source-maps', '--test-timeout=60000', '--test', ...made], { stdio: 'inherit' });
process.exit(run.status ?? 1);
