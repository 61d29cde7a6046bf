/** Frames of the picture: decoded and dropped since the view began, and how many a second are shown. */

import { merge } from '../core/view.ts';
import type { Host } from '../types.ts';

const NONE = { totalVideoFrames: 0, droppedVideoFrames: 0 };

/**
 * Samples the frames.
 *
 * The rate is counted from the element's own totals between two samples: a callback for every frame
 * would cost main-thread time all the while the video plays. Content time at the playback rate, not
 * wall time, is the measure, so that pauses and stalls do not lower it; a seek begins it anew.
 */
export function frames(host: Host, video: HTMLVideoElement): void {
  const read = () => video.getVideoPlaybackQuality?.() ?? NONE;
  let view = '';
  /** At the begin of the view, and at the last sample. */
  let first = NONE;
  let last = read();
  /** Where the playhead was when so many frames had been shown. */
  let from = NaN;
  let shown = 0;
  host.listen(video, 'seeking', () => (from = NaN));
  host.sample((fields) => {
    if (view !== (view = host.viewId())) first = last;
    const before = last.totalVideoFrames;
    last = read();
    const { totalVideoFrames: decoded, droppedVideoFrames: dropped } = last;
    // An element counts anew with a new source; the server knows totals that begin anew.
    if (decoded < before) first = NONE;
    if (!decoded) return;
    const { currentTime, playbackRate } = video;
    const moved = (currentTime - from) / playbackRate;
    merge(fields, {
      player: {
        decodedFrames: decoded - first.totalVideoFrames,
        droppedFrames: dropped - first.droppedVideoFrames,
        ...(moved > 1 && { fps: +((decoded - dropped - shown) / moved).toFixed(1) }),
      },
    });
    if (!(moved <= 1)) [from, shown] = [currentTime, decoded - dropped];
  });
}
