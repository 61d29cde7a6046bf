/** Has hls.js, dash.js or Shaka report CMCD (CTA-5004-B) to Playhead, with the SDK or instead of it. */

export { configureDash, type CmcdDash } from './cmcd/dash.ts';
export { configureHls, type CmcdHls } from './cmcd/hls.ts';
export { configureShaka, type CmcdShaka, type ShakaTrack } from './cmcd/shaka.ts';
export type { CmcdEvent, CmcdOptions, StopCmcd } from './cmcd/options.ts';
