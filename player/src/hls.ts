/** hls.js: `monitorHls(hls, video, { endpoint })` is all a page needs. */

import { hlsAdapter, type Hls } from './adapters/hls.ts';
import { createMonitor } from './core/monitor.ts';
import { fed } from './media/element.ts';
import type { Config, Monitor } from './types.ts';

export type { Hls, HlsLevel } from './adapters/hls.ts';
export { hlsAdapter };

/** Measures what hls.js plays in the element. */
export function monitorHls(hls: Hls, video: HTMLMediaElement, config: Config): Monitor {
  return createMonitor(config, [fed(video), hlsAdapter(hls, video)]);
}
