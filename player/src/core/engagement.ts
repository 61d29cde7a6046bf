/** How long a viewer watched and paused. */

import type { State } from '../types.ts';

/**
 * Takes a moment and what the view is in from then on (none: the same); returns the totals up to it.
 * A moment before the last takes back what was counted too much: stalls are known after they began.
 */
export type Engagement = (at: number, next?: State) => { totalWatchTime: number; totalPauseTime: number };

/** Counts from a moment on (whole ms of the monotonic clock). */
export function createEngagement(since: number): Engagement {
  let state: State | undefined;
  let totalWatchTime = 0;
  let totalPauseTime = 0;
  return (at, next = state) => {
    if (state === 'playing') totalWatchTime += at - since;
    if (state === 'paused') totalPauseTime += at - since;
    since = at;
    state = next;
    return { totalWatchTime, totalPauseTime };
  };
}
