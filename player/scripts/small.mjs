/** Bundle as small as it gets: esbuild puts it together, terser squeezes what that leaves. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { build } from 'esbuild';
import { minify } from 'terser';

/** Private names begin with `_`: nobody outside reads them, so they may be short. */
const BUNDLE = {
  bundle: true,
  minify: true,
  mangleProps: /^_[a-zA-Z]/,
  target: 'es2021',
  legalComments: 'none',
  logLevel: 'warning',
  write: false,
};
/** `pure_getters`: reading a property of ours does nothing. `unsafe_*`: nobody calls `new` on our functions. */
const COMPRESS = { passes: 5, pure_getters: true, unsafe_arrows: true, unsafe_methods: true, keep_fargs: false, hoist_funs: true };
/**
 * Return what terser is told; it keeps notes in it, so each text gets its own. A module's names are its
 * own, a script's are the page's: `Playhead` is one.
 */
function squeeze(format) {
  const module = format !== 'iife';
  return { ecma: 2020, module, toplevel: module, compress: { ...COMPRESS } };
}

/** Return the texts of a bundle by path, with their source maps where `options` ask for them. */
export async function small(options) {
  const { outputFiles } = await build({ ...BUNDLE, absWorkingDir: process.cwd(), ...options });
  const texts = new Map(outputFiles.map(({ path, text }) => [path, text]));
  for (const [path, text] of texts) {
    if (path.endsWith('.map')) continue;
    const content = texts.get(`${path}.map`);
    const sourceMap = content && { content, url: `${basename(path)}.map` };
    const squeezed = await minify(text, { ...squeeze(options.format), ...(sourceMap && { sourceMap }) });
    texts.set(path, squeezed.code);
    if (content) texts.set(`${path}.map`, squeezed.map);
  }
  return texts;
}

/** Do the same, into files. */
export async function writeSmall(options) {
  for (const [path, text] of await small({ ...options, sourcemap: true })) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}
