/** Frames of the picture: decoded and dropped since the view began, and how many a second are shown. */

import { merge } from '../core/view.ts';
import type { Host } from '../types.ts';

/**
 * Samples the frames.
 *
 * The rate is counted from the element's own totals between two samples: a callback for every frame
 * would cost main-thread time all the while the video plays. Content time at the playback rate, not
 * wall time, is the measure, so that pauses and stalls do not lower it; a seek begins it anew.
 */
export function frames(host: Host, video: HTMLVideoElement): void {
  let view = '';
  let [decodedBefore, droppedBefore, decoded, dropped, shown, from] = [0, 0, 0, 0, 0, NaN];
  const read = () => {
    const quality = video.getVideoPlaybackQuality?.();
    if (!quality) return;
    // An element counts anew with a new source; the server knows totals that begin anew.
    if (quality.totalVideoFrames < decoded) decodedBefore = droppedBefore = 0;
    decoded = quality.totalVideoFrames;
    dropped = quality.droppedVideoFrames;
  };
  read();
  host.listen(video, 'seeking', () => (from = NaN));
  host.sample((fields) => {
    if (view !== (view = host.viewId())) [decodedBefore, droppedBefore] = [decoded, dropped];
    read();
    if (!decoded) return;
    const { currentTime, playbackRate } = video;
    const moved = (currentTime - from) / playbackRate;
    merge(fields, {
      player: {
        decodedFrames: decoded - decodedBefore,
        droppedFrames: dropped - droppedBefore,
        ...(moved > 1 && { fps: Math.round(((decoded - dropped - shown) / moved) * 10) / 10 }),
      },
    });
    if (!(moved <= 1)) [from, shown] = [currentTime, decoded - dropped];
  });
}
