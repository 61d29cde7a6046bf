/** Which events go together, and which go when there is no room. */

import type { WireEvent } from '../wire/event.ts';
import type { Item } from './item.ts';

/** Whether a view cannot be understood without it: such events are never too many, and have twice the room. */
export const isTelling = ({ eventType }: WireEvent): boolean => /^(PLAY|BUF|ENDED|STOP)/.test(eventType);

/** Returns what must go out of a queue that is too long: the oldest ordinary events. */
export const surplusOf = (queue: Item[], maxEvents: number): Item[] =>
  queue.filter(({ _event }) => !isTelling(_event)).slice(0, Math.max(0, queue.length - maxEvents));

/** Returns the first items that fit in one body. */
export function batchOf(items: Item[], maxEvents: number, maxBytes: number): Item[] {
  let room = maxBytes - 1; // [ and ], one comma less
  return items.filter(({ _bytes }, index) => (room -= _bytes) >= 0 && index < maxEvents);
}
