/** The files a page may import, and the one for a script tag. */

export const ENTRIES = [
  'index', 'hls', 'dash', 'shaka', 'videojs', 'plugin', 'cmcd', 'ads', 'publisher', 'debug',
];
export const SCRIPT = 'playhead';
