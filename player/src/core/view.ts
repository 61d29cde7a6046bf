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

/** Makes the events of one view. */
export class View {
  readonly id: string = uuid7();
  _seq = 0;
  _begunAt?: number;
  _lastAt = 0;

  /**
   * Makes the next event. Its moment may lie in the past, but not before the last event's.
   *
   * `at` and the times of `fields.buffering` are of the page's monotonic clock (ms); `wall` is what is
   * added to it at this moment to get the time since 1970.
   */
  event(kind: Kind, at: number, fields: Fields, position: number | undefined, wall: number): WireEvent {
    at = this._lastAt = Math.max(at, this._lastAt);
    this._begunAt ??= at;
    const event: WireEvent = {
      ...fields,
      eventType: kind,
      timestamp: Math.round(at + wall),
      viewId: this.id,
      seq: this._seq++,
      monotonicMs: Math.round(at - this._begunAt),
    };
    if (position !== undefined) event.playbackPositionSec = Math.round(position * 1_000) / 1_000;
    if (fields.startupMs) event.startupMs = Math.round(fields.startupMs);
    if (fields.buffering) {
      const told = Object.entries(fields.buffering);
      event.buffering = Object.fromEntries(
        told.map(([key, value]) => [key, Math.round(/At/.test(key) ? value + wall : value)]),
      );
    }
    return event;
  }
}
