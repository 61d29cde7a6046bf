/** Build `dist/`: ESM with shared parts, a script-tag build (global `Playhead`), declarations. */

import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { ENTRIES, SCRIPT } from './entries.mjs';
import { writeSmall } from './small.mjs';

process.chdir(new URL('..', import.meta.url).pathname);
rmSync('dist', { recursive: true, force: true });
await writeSmall({
  entryPoints: ENTRIES.map((name) => `src/${name}.ts`),
  outdir: 'dist',
  format: 'esm',
  splitting: true,
  chunkNames: 'parts/[hash]',
});
await writeSmall({
  entryPoints: [`src/${SCRIPT}.ts`],
  outfile: `dist/${SCRIPT}.js`,
  format: 'iife',
  globalName: 'Playhead',
});
execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
