/** The rendition on screen, as players' libraries tell of it. */

import type { Host } from '../types.ts';
import type { Quality } from '../wire/event.ts';
import type { Partly } from './request.ts';

/**
 * Returns what tells the rendition on screen: once, however often it is said. What is 0 is unknown, a
 * size that is unknown is the picture's.
 */
export function renditions(host: Host, video: HTMLVideoElement): (quality: Partly<Quality>) => void {
  let last = '';
  return (all) => {
    const { videoWidth: width, videoHeight: height } = video;
    const known = Object.entries(all.width ? all : { ...all, width, height }).filter(([, value]) => value);
    const quality: Quality = Object.fromEntries(known);
    if (!known.length || last === (last = host.viewId() + JSON.stringify(quality))) return;
    host.remember({ quality });
    host.take('QUALITY_CHANGE', { quality }, video.currentTime);
  };
}
