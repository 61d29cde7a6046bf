/** Reads where the playhead stands: often enough to see a stall, not at all while it rests. */

import type { Host } from '../types.ts';

/** How often the playhead is read while it should move, in ms; a stall is one of 250 ms. */
const POLL_MS = 200;

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
  host.listen(video, 'timeupdate ratechange', move);
  return () => {
    if (stop || rests()) return;
    frame();
    stop = host.every(POLL_MS, () => {
      move();
      polled();
      if (!rests()) return;
      stop!();
      stop = undefined;
    });
  };
}
