/** dash.js: `monitorDash(player, video, { endpoint })` is all a page needs. */

import { type Dash, dashAdapter } from './adapters/dash.ts';
import { createMonitor } from './core/monitor.ts';
import { fed } from './media/element.ts';
import type { Config, Monitor } from './types.ts';

export type { Dash } from './adapters/dash.ts';
export { dashAdapter };

/** Measures what dash.js plays in the element. */
export function monitorDash(player: Dash, video: HTMLMediaElement, config: Config): Monitor {
  return createMonitor(config, [fed(video), dashAdapter(player, video)]);
}
