/** Measures a media element. What its signals mean, the core says. */

import type { Adapter } from '../types.ts';
import { frames } from './frames.ts';
import { signals } from './signals.ts';
import { source } from './source.ts';
import { surroundings } from './surroundings.ts';

/** Measures an HTML5 media element that plays by itself: `createMonitor(config, [html5(video)])`. */
export function html5(element: HTMLMediaElement): Adapter {
  return (host) => {
    source(host, element as HTMLVideoElement);
    fed(element)(host);
  };
}

/** The same for an element that a player's library feeds: its adapter knows the sources. */
export function fed(element: HTMLMediaElement): Adapter {
  return (host) => {
    const video = element as HTMLVideoElement;
    frames(host, video);
    surroundings(host, video);
    signals(host, video);
  };
}
