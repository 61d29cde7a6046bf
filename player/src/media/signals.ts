/** What a media element raises, as the core's signals. */

import { fail } from '../adapters/failure.ts';
import type { Fields, Host } from '../types.ts';
import type { Kind } from '../wire/event.ts';
import { playhead } from './playhead.ts';

/** Signals that mean what their names say, or not: the core decides. */
const KINDS: Record<string, Kind> = {
  playing: 'PLAYING',
  waiting: 'BUFFER_START',
  seeking: 'SEEK_START',
  seeked: 'SEEK_END',
  ended: 'ENDED',
  pause: 'PAUSE',
  // A source that is taken away pauses the element without a word; where it stood is not there any more.
  emptied: 'PAUSE',
};

/**
 * Returns the code of the error that keeps the element from playing, 0 if there is none. The page's
 * own abort is none, nor is an empty source: so libraries and pages let go of an element.
 */
export function errorOf(video: HTMLVideoElement): number {
  // Children (`source`) that all fail raise nothing at the element: its network state says so.
  const code = video.error?.code ?? (video.networkState === 3 ? 4 : 0);
  const isFreed = (): boolean => video.getAttribute('src') === '' || /^(blob:|$)/.test(video.currentSrc);
  return code < 2 || (code > 3 && isFreed()) ? 0 : code; // asked several times a second: the usual case reads little
}

/** Raises signals from now on. */
export function signals(host: Host, video: HTMLVideoElement): void {
  /** PLAY is told, the element waits for data before it begins by itself. */
  let early: boolean | undefined;
  /** The same, but nobody knows whether the browser allows it: when it began to wait, in ms. */
  let since: number | undefined;
  let hasFailed = false;

  const tell = (kind: Kind, fields?: Fields, at?: number) =>
    host.take(kind, fields, video.currentTime, at);
  const check = () => {
    const code = errorOf(video);
    if (hasFailed || !code) return;
    hasFailed = true;
    fail(host, {
      type: 'MediaError', code: `${code}`, message: video.error?.message, category: code > 3 ? 'content' : 'technical', fatal: true,
    }); // prettier-ignore
  };
  const watch = playhead(host, video, () => (video.paused ? !early : video.ended), check);
  const clicked = () => navigator.userActivation?.hasBeenActive;
  const play = () => {
    tell('PLAY', { autoplay: video.autoplay || clicked() === false }, since);
    early = video.paused;
    since = undefined;
    watch();
  };
  const load = () => {
    hasFailed = false;
    const { autoplay, paused, played, networkState, readyState } = video;
    if (autoplay && paused && !played.length && networkState && readyState < 4) {
      if (video.muted || clicked()) play();
      else since = host.now();
    }
  };

  host.listen(video, Object.keys(KINDS).join(' '), ({ type }: Event) => {
    const kind = KINDS[type]!;
    // Browsers pause as they end.
    if (kind !== 'PAUSE' || (video.paused && !video.ended)) {
      host.take(kind, {}, type === 'emptied' ? undefined : video.currentTime);
    }
    watch();
  });
  host.listen(video, 'loadstart', load);
  host.listen(video, 'play', play);
  host.listen(video, 'error', check);
  host.listen(video, 'canplaythrough', () => {
    if (early && video.paused) tell('PAUSE'); // it may not begin by itself
    early = false;
  });
  if (video.paused) load();
  else if (!video.played.length) play();
  else tell('PLAYING'); // fastened in the middle: nobody knows how long the start took
  watch();
}
