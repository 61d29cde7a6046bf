/**
 * Hold each part against `size-budget.json`: bytes after minifying and gzip. Exit 1 above it.
 *
 * `gzip_bytes` is what a page loads at once; what a part fetches by itself afterwards is a file of its
 * own, printed beside it and held against `later_gzip_bytes`.
 */

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';
import { small } from './small.mjs';

process.chdir(new URL('..', import.meta.url).pathname);
const budgets = JSON.parse(readFileSync('size-budget.json', 'utf8'));
const gzip = (text) => gzipSync(text, { level: 9 }).length;
let over = 0;
for (const [part, { code, gzip_bytes: most, later_gzip_bytes: mostLater = 0 }] of Object.entries(budgets)) {
  const files = await small({
    stdin: { contents: code, resolveDir: '.', loader: 'ts' },
    format: 'esm',
    splitting: mostLater > 0,
    outdir: 'dist',
  });
  const texts = [...files].map(([path, text]) => [basename(path) === 'stdin.js', text]);
  const atOnce = texts.filter(([isEntry]) => isEntry).map(([, text]) => text);
  const later = texts.filter(([isEntry]) => !isEntry).map(([, text]) => text);
  // A file shared by both would be loaded at once, too: there must be none.
  if (atOnce.some((text) => /\bimport *[{"']|\bfrom *["']/.test(text))) throw new Error(`${part}: more than one file at once`);
  const now = atOnce.reduce((sum, text) => sum + gzip(text), 0);
  const then = later.reduce((sum, text) => sum + gzip(text), 0);
  const isOver = now > most || then > mostLater;
  over += isOver ? 1 : 0;
  const more = mostLater ? `, and ${then} of ${mostLater} afterwards` : '';
  console.log(`${part}: ${now} of ${most} bytes gzip${more}, ${isOver ? 'OVER' : 'fits'}`);
}
process.exit(over ? 1 : 0);
