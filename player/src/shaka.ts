/** Shaka Player: `monitorShaka(player, video, { endpoint })` is all a page needs. */

import { type Shaka, shakaAdapter } from './adapters/shaka.ts';
import { createMonitor } from './core/monitor.ts';
import { fed } from './media/element.ts';
import type { Config, Monitor } from './types.ts';

export type { Shaka, ShakaStats, ShakaTrack } from './adapters/shaka.ts';
export { shakaAdapter };

/** Measures what Shaka Player plays in the element. */
export function monitorShaka(player: Shaka, video: HTMLMediaElement, config: Config): Monitor {
  return createMonitor(config, [fed(video), shakaAdapter(player, video)]);
}
