/** One event on its way to the server. */

import type { WireEvent } from '../wire/event.ts';

/** An event held until the server has acknowledged it. */
export interface Item {
  _event: WireEvent;
  /** The event as JSON: made once, for its length, for the browser's storage and for each sending. */
  _text: string;
  /** What it takes in a body. */
  _bytes: number;
  /** Where it goes to, with its key: an earlier page of this origin may have had another. */
  _to: string;
  /** It left by a beacon, which has no answer. */
  _beaconed?: boolean;
  /** It is for the next visit: its address wanted none of it, or failed at it. */
  _isLeft?: boolean;
}

/** `,"sentAt":`, 13 digits and a comma. */
const SENT_AT_BYTES = 24;

/** Makes an item; throws where the event is no JSON (a cycle, a BigInt). */
export function itemOf(event: WireEvent, to: string): Item {
  const text = JSON.stringify(event);
  return { _event: event, _text: text, _bytes: new TextEncoder().encode(text).length + SENT_AT_BYTES, _to: to };
}

/** Returns a JSON list of items; `key` and its value are added to each. */
function listOf(items: Item[], key: string, valueOf: (item: Item) => unknown): string {
  return `[${items.map((item) => `${item._text.slice(0, -1)},"${key}":${JSON.stringify(valueOf(item))}}`)}]`;
}

/** Returns the body of a batch: every event carries the moment of sending (ms since 1970). */
export const bodyOf = (items: Item[]): string => listOf(items, 'sentAt', Date.now);

/** Returns a record for the browser's storage: every event with its address. */
export const recordOf = (items: Item[]): string => listOf(items, 'to', ({ _to }) => _to);
