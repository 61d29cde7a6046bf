/** Hold each part against `size-budget.json`: bytes after minifying and gzip. Exit 1 above it. */

import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { small } from './small.mjs';

process.chdir(new URL('..', import.meta.url).pathname);
const budgets = JSON.parse(readFileSync('size-budget.json', 'utf8'));
let over = 0;
for (const [part, { code, gzip_bytes: most }] of Object.entries(budgets)) {
  const [plain] = (await small({ stdin: { contents: code, resolveDir: '.', loader: 'ts' }, format: 'esm' })).values();
  const packed = gzipSync(plain, { level: 9 }).length;
  over += packed > most ? 1 : 0;
  const verdict = packed > most ? 'OVER' : 'fits';
  console.log(`${part}: ${packed} of ${most} bytes gzip (${plain.length} minified), ${verdict}`);
}
process.exit(over ? 1 : 0);
