/** One event on its way to the server. */

import type { WireEvent } from '../wire/event.ts';

/** An event held until the server has acknowledged it. */
export interface Item {
  _event: WireEvent;
  /** The event as JSON: made once, for its length, for the browser's storage and for each sending. */
  _text: string;
  /** What it takes in a body. */
  _bytes: number;
  /** It left by a beacon, which has no answer. */
  _beaconed?: boolean;
}

/** `,"sentAt":`, 13 digits and a comma. */
const SENT_AT_BYTES = 24;

/** Makes an item; throws where the event is no JSON (a cycle, a BigInt). */
export function itemOf(event: WireEvent): Item {
  const text = JSON.stringify(event);
  return { _event: event, _text: text, _bytes: new TextEncoder().encode(text).length + SENT_AT_BYTES };
}

/** Returns a JSON list of items; `more` is added to each. */
export function listOf(items: Item[], more = ''): string {
  return `[${items.map(({ _text }) => _text.slice(0, -1) + more + '}')}]`;
}

/** Returns the body of a batch: every event carries the moment of sending (ms since 1970). */
export const bodyOf = (items: Item[]): string => listOf(items, `,"sentAt":${Date.now()}`);
