/** Build `dist/`: ESM with shared parts, a script-tag build (global `Playhead`), declarations. */

import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { build } from 'esbuild';
import { ENTRIES, SCRIPT, SMALL } from './entries.mjs';

process.chdir(new URL('..', import.meta.url).pathname);
rmSync('dist', { recursive: true, force: true });
await build({
  ...SMALL,
  entryPoints: ENTRIES.map((name) => `src/${name}.ts`),
  outdir: 'dist',
  format: 'esm',
  splitting: true,
  chunkNames: 'parts/[hash]',
  sourcemap: true,
});
await build({
  ...SMALL,
  entryPoints: [`src/${SCRIPT}.ts`],
  outfile: `dist/${SCRIPT}.js`,
  format: 'iife',
  globalName: 'Playhead',
  sourcemap: true,
});
execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
