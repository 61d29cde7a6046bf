/** The files a page may import, and the one for a script tag. */

export const ENTRIES = [
  'index', 'hls', 'dash', 'shaka', 'videojs', 'plugin', 'cmcd', 'ads', 'publisher', 'debug',
];
export const SCRIPT = 'playhead';

/** Private names begin with `_`: nobody outside reads them, so they may be short. */
export const SMALL = {
  bundle: true,
  minify: true,
  mangleProps: /^_[a-zA-Z]/,
  target: 'es2020',
  legalComments: 'none',
  logLevel: 'warning',
};
