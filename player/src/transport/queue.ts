/** Which events go together, and which go when there is no room. */

import type { WireEvent } from '../wire/event.ts';
import type { Item } from './item.ts';

/** Whether a view cannot be understood without it: such events have twice the room of the others. */
export const isTelling = (event: WireEvent): boolean =>
  /^(PLAY|BUFFER_|ENDED|STOP)/.test(event.eventType);

/** Returns what must go out of a queue that is too long: the oldest ordinary events. */
export function surplusOf(queue: Item[], maxEvents: number): Item[] {
  const ordinary = queue.filter(({ _event }) => !isTelling(_event));
  return ordinary.slice(0, Math.max(0, queue.length - maxEvents));
}

/** Returns the first items that fit in one body. */
export function batchOf(items: Item[], maxEvents: number, maxBytes: number): Item[] {
  let room = maxBytes - 1; // [ and ], one comma less
  return items.filter(({ _bytes }, index) => (room -= _bytes) >= 0 && index < maxEvents);
}
