/** Measures a media element. What its signals mean, the core says. */

import type { Adapter, Host } from '../types.ts';
import { frames } from './frames.ts';
import { signals } from './signals.ts';
import { source } from './source.ts';
import { surroundings } from './surroundings.ts';

const measured = new WeakSet<HTMLMediaElement>();

/**
 * Fastens parts to an element, which has one monitor at a time: a second one would count everything
 * twice. It is refused, and measures nothing.
 */
function fasten(video: HTMLMediaElement, parts: ((host: Host, video: HTMLVideoElement) => void)[]): Adapter {
  return (host) => {
    if (measured.has(video)) throw 'It has a monitor: destroy() that first';
    measured.add(video);
    for (const part of parts) part(host, video as HTMLVideoElement);
    return () => measured.delete(video);
  };
}

/** Measures an HTML5 media element that plays by itself: `createMonitor(config, [html5(video)])`. */
export function html5(element: HTMLMediaElement): Adapter {
  return fasten(element, [source, frames, surroundings, signals]);
}

/** The same for an element that a player's library feeds: its adapter knows the sources. */
export function fed(element: HTMLMediaElement): Adapter {
  return fasten(element, [frames, surroundings, signals]);
}
