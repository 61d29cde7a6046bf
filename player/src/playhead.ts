/** Everything in one file, for a script tag: `<script src="…/sdk/playhead.js">` makes it `Playhead`. */

export * from './index.ts';
export * from './hls.ts';
export * from './dash.ts';
export { monitorShaka, shakaAdapter, type Shaka, type ShakaStats } from './shaka.ts';
export * from './videojs.ts';
export * from './plugin.ts';
export * from './cmcd.ts';
export * from './ads.ts';
export * from './publisher.ts';
export * from './debug.ts';
