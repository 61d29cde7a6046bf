/** Video.js: `monitorVideojs(player, { endpoint })` is all a page needs. */

import { elementOf, type Videojs, videojsAdapter } from './adapters/videojs.ts';
import { createMonitor } from './core/monitor.ts';
import { fed } from './media/element.ts';
import type { Config, Monitor } from './types.ts';

export type { Videojs } from './adapters/videojs.ts';
export { videojsAdapter };

/** Measures what Video.js plays. */
export function monitorVideojs(player: Videojs, config: Config): Monitor {
  return createMonitor(config, [(host) => fed(elementOf(player))(host), videojsAdapter(player)]);
}
