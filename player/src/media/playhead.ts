/** Reads where the playhead stands: often enough to see a stall, not at all while it rests. */

import type { Host } from '../types.ts';

/** How often the playhead is read until it moves evenly, in ms; a stall is one of 250 ms. */
const POLL_MS = 200;
/**
 * The same from then on: the element's `timeupdate`, four a second, says how far it came. A timer
 * notes when they stay away; when it stood is known from where it is.
 */
const WATCH_MS = 600;
/** So much content played means that it moves evenly. */
const EVEN_S = 1;

/**
 * Tells the host where the playhead stands, as long as `rests` does not say that it need not move.
 * Returns what to call whenever that may have changed; `polled` is called at each reading.
 */
export function playhead(
  host: Host,
  video: HTMLVideoElement,
  rests: () => boolean,
  polled: () => void,
): () => void {
  let stop: (() => void) | undefined;
  const move = () => host.progress(video.currentTime, video.playbackRate);
  const frame = () => {
    // The first frame was presented just now, up to a poll before the poll would see it move.
    const from = video.currentTime;
    video.requestVideoFrameCallback?.(
      host.guard(() => {
        move();
        if (stop && video.currentTime === from) frame();
      }),
    );
  };
  /** `from`: where it stood when it may not yet have moved evenly. */
  const poll = (ms: number, from?: number) => {
    stop?.();
    stop = host.every(ms, () => {
      move();
      polled();
      if (rests()) stop = void stop!();
      else if (video.currentTime - from! > EVEN_S) poll(WATCH_MS);
    });
  };
  host.listen(video, 'ratechange timeupdate', move);
  return () => {
    if (rests()) return;
    if (!stop) frame();
    poll(POLL_MS, video.currentTime);
  };
}
