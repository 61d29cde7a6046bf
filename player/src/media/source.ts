/** What an element knows of its source when no player's library feeds it: address, length, size, keys. */

import { renditions } from '../adapters/rendition.ts';
import type { Host } from '../types.ts';
import { once } from './surroundings.ts';

/** A video element with what only Safari has. */
interface Video extends HTMLVideoElement {
  /** The moment that position 0 of a live stream stands for. */
  getStartDate?(): Date;
}

/** Tells of the source, of each new one, and how long its key took. */
export function source(host: Host, video: Video): void {
  const listen = (type: string, heard: () => void) => host.listen(video, type, heard);
  const loaded = sources(host);
  const show = renditions(host, video);
  let asked = 0;
  let blocked = false;
  const tell = () => {
    const { currentSrc, duration } = video;
    // What Media Source feeds changes its address at each repair, and grows while it is live.
    const fed = /^blob:/.test(currentSrc);
    loaded(fed ? 'blob:' : currentSrc);
    if (duration === Infinity) host.remember({ streamType: 'live' });
    else if (duration && !fed) host.remember({ streamType: 'vod', durationSec: duration });
  };
  listen('emptied loadstart durationchange', tell);
  listen('resize', () => show({}));
  listen('encrypted', () => (asked ||= host.now()));
  listen('waitingforkey', () => (blocked = true));
  listen('canplay', () => {
    if (blocked && asked) once(host, { drmMs: host.now() - asked });
    blocked = false;
  });
  host.sample((fields) => {
    const start = +(video.getStartDate?.() ?? NaN);
    if (start) fields.liveLatencyMs = Math.round(Date.now() - start - video.currentTime * 1e3);
  });
  tell();
  show({});
}

/** Returns what to call with each source's address: the first is no news, any other ends the view. */
export function sources(host: Host, loaded?: string | null): (url: string) => void {
  return (url) => {
    if (loaded && url && url !== loaded) host.source(url);
    loaded = url || loaded;
  };
}
