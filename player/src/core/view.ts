/** One view: its name, its clock, its numbers, and what was already said of it. */

import type { Fields } from '../types.ts';
import type { Kind, WireEvent } from '../wire/event.ts';
import { uuid7 } from './ids.ts';

type Parts = Record<string, unknown>;

/** Adds `from` to what is known, part by part; what that changed is told in `news`, too. */
export function merge(known: Fields, from: Fields, news: Fields = {}): void {
  for (const [key, value] of Object.entries(from)) {
    const before = (known as Parts)[key];
    const after = value && typeof value === 'object' ? { ...(before as Parts), ...value } : value;
    if (value !== undefined && JSON.stringify(after) !== JSON.stringify(before)) {
      (known as Parts)[key] = (news as Parts)[key] = after;
    }
  }
}

/** What makes the events of one view. */
export interface View {
  readonly _id: string;
  /** The number of the next event. */
  _seq: number;
  /** The next event: its moment may lie in the past, but not before that of the one before. */
  _event(kind: Kind, at: number, fields: Fields, position: number | undefined, wall: number): WireEvent;
}

/**
 * Begins a view.
 *
 * Moments and the times of `buffering` are of the page's monotonic clock (ms); `wall` is what is added
 * to it to get the time since 1970. An event takes its number only when `_seq` moves on.
 */
export function createView(): View {
  let begunAt: number;
  let lastAt = 0;
  return {
    _id: uuid7(),
    _seq: 0,
    _event(kind, at, fields, position, wall) {
      const onWall = (moment?: number): number | undefined => moment! + wall || undefined;
      lastAt = Math.max(Math.round(at), lastAt);
      begunAt ??= lastAt;
      const { buffering } = fields;
      if (buffering) {
        const { startedAt, endedAt } = buffering;
        fields = { ...fields, buffering: { ...buffering, startedAt: onWall(startedAt), endedAt: onWall(endedAt) } } as Fields;
      }
      return {
        ...fields,
        eventType: kind,
        timestamp: onWall(lastAt)!,
        viewId: this._id,
        seq: this._seq,
        monotonicMs: lastAt - begunAt,
        ...(position! >= 0 && { playbackPositionSec: +position!.toFixed(3) }),
      };
    },
  };
}
