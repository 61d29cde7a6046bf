/** Measures a playback and sends it to Playhead. `monitor(video, { endpoint })` is all a page needs. */

import { createMonitor } from './core/monitor.ts';
import { html5 } from './media/element.ts';
import type { Config, Monitor } from './types.ts';

export { createMonitor, html5 };
export type * from './types.ts';
export type * from './wire/event.ts';

/** Measures what an HTML5 media element plays. */
export function monitor(video: HTMLMediaElement, config: Config): Monitor {
  return createMonitor(config, [html5(video)]);
}
