/** One event on its way to the server. */

import type { WireEvent } from '../wire/event.ts';

/** How an event is kept in the browser. These names outlive a release. */
export interface Kept {
  /** Unique in the origin. */
  k: string;
  /** The page that answers for it; another takes it over once that one is gone. */
  o: string;
  e: WireEvent;
}

/** An event held until the server has acknowledged it. */
export interface Item extends Kept {
  /** What it takes in a body. */
  _bytes: number;
  /** It is in the database, or being written. */
  _stored: boolean;
  /** It left by a beacon, which has no answer. */
  _beaconed?: boolean;
}

/** `,"sentAt":`, 13 digits and a comma. */
const SENT_AT_BYTES = 24;

/** Makes an item; throws where the event is no JSON (a cycle, a BigInt). */
export function itemOf(kept: Kept, stored: boolean): Item {
  const bytes = new TextEncoder().encode(JSON.stringify(kept.e)).length + SENT_AT_BYTES;
  return { ...kept, _bytes: bytes, _stored: stored };
}

export const eventsOf = (items: Kept[]): WireEvent[] => items.map(({ e }) => e);

/** Returns the body of a batch: every event carries the moment of sending (ms since 1970). */
export function bodyOf(items: Item[]): string {
  const sentAt = Date.now();
  return JSON.stringify(eventsOf(items).map((event) => ({ ...event, sentAt })));
}
