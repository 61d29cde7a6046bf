/** What the player runs in: device, network, its own size, how it is shown, how long the page took. */

import { merge } from '../core/view.ts';
import type { Fields, Host } from '../types.ts';

/** Network Information, in Chromium only. Rates in Mbit/s, times in ms. */
interface Connection extends EventTarget {
  downlink: number;
  rtt: number;
  effectiveType: string;
}

let pageTold = false;

/** Tells of the surroundings. */
export function surroundings(host: Host, video: HTMLMediaElement): void {
  const { connection } = navigator as { connection?: Connection };
  const network = (): Fields => {
    const { downlink: downlinkMbps, rtt: rttMs, effectiveType } = connection!;
    return { network: { downlinkMbps, rttMs, effectiveType } };
  };
  let page: Fields = {};
  if (connection) {
    host.remember(network());
    host.listen(connection, 'change', () => host.take('NETWORK_CHANGE', network()));
  }
  host.remember({
    device: { screenWidth: screen.width, screenHeight: screen.height, pixelRatio: devicePixelRatio },
  });
  host.sample((fields) => {
    const { clientWidth: width, clientHeight: height, buffered, currentTime } = video;
    let bufferLengthSec = 0;
    for (let i = buffered.length; i--; ) {
      const ahead = buffered.end(i) - currentTime;
      if (ahead > 0 && buffered.start(i) - currentTime < 0.1) bufferLengthSec = +ahead.toFixed(3);
    }
    merge(fields, { ...page, player: { width, height, bufferLengthSec } });
    page = {};
    const presentation = document.fullscreenElement ? 'fullscreen' : document.pictureInPictureElement ? 'pip' : 'inline';
    host.remember({ custom: { muted: video.muted || !video.volume, presentation } });
  });
  // Only the first view of a page waited for it, and a page nobody saw kept nobody waiting.
  if (!pageTold && !document.hidden) {
    const [load] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
    page = { pageLoadMs: Math.round(load?.loadEventEnd || host.now()) };
  }
  pageTold = true;
}

/** Puts facts onto one event, the next that is sampled, and never again. */
export function once(host: Host, facts: Fields): void {
  host.sample((fields) => {
    merge(fields, facts);
    facts = {};
  });
}
