/**
 * Run every view vector through the machine: `node scripts/vectors.mjs` writes to standard output
 * what a player that raises the vector's signals would send, as JSON: `{file: {name: {events, tally}}}`.
 *
 * `tests/vectors/*.json` hold wire events; `test/core/replay.ts` says how they become signals.
 * `tests/vectors/player/*.json` hold signals.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { build } from 'esbuild';

process.chdir(new URL('..', import.meta.url).pathname);
const VECTORS = '../tests/vectors';
await build({
  entryPoints: ['test/core/replay.ts'],
  outfile: '.build/replay.mjs',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
});
const { replay } = await import(new URL('../.build/replay.mjs', import.meta.url));
const out = {};
for (const folder of ['', 'player/']) {
  for (const file of readdirSync(`${VECTORS}/${folder}`).filter((name) => name.endsWith('.json'))) {
    const vectors = JSON.parse(readFileSync(`${VECTORS}/${folder}${file}`, 'utf8'));
    out[folder + file] = Object.fromEntries(vectors.map((vector) => [vector.name, replay(vector)]));
  }
}
process.stdout.write(`${JSON.stringify(out, null, 1)}\n`);
