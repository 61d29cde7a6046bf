/** What is held until the server has acknowledged it: in memory, and as far as it may be, for the next visit. */

import { type Item, itemOf, recordOf } from './item.ts';
import type { Keeping } from './kept.ts';

/** Begins the names of locks, of records in the database and of keys in `localStorage`. */
const PREFIX = 'playhead:';
/** In `localStorage`, which the page needs for itself. */
const CRAM_MAX_BYTES = 250_000;

/** A page's part of what the origin's pages keep. */
export interface Shelf {
  /** What is held, oldest first. */
  _items: Item[];
  /** The database is not used: unwanted, not there yet, or it failed. */
  _isOff(): boolean;
  /** Writes what is held, in one transaction. */
  _write(): Promise<void>;
  /** Lets go of items. */
  _remove(items: Item[]): void;
  /** Writes where writing waits for nothing, and replaces what was there. */
  _cram(): void;
  /** Takes over what dead pages have left, and returns it. */
  _restore(): Promise<Item[]>;
  /** Keeps what is held for whoever comes next; `forgets`: nothing of it. */
  _close(forgets?: boolean): void;
  /** Shows no life while nothing is held; `left`: nor until told otherwise, the page is being left. */
  _letGo(left?: boolean): void;
}

/**
 * Makes a shelf; one that is not `wanted` keeps nothing.
 *
 * Each page has one record, the JSON list of what it holds: in a database (`kept.ts`), and in
 * `localStorage` for the moment of unloading, where a transaction may not complete.
 */
export function createShelf(wanted: boolean, fault: (error: unknown) => void): Shelf {
  const name = PREFIX + Math.random();
  let keeping: Keeping | undefined;

  const shelf: Shelf = {
    _items: [],
    _isOff: () => !keeping || keeping._isOff(),

    _write: async () => (await kept)?._write(),

    async _remove(items) {
      shelf._items = shelf._items.filter((item) => !items.includes(item));
      await keeping?._removed();
    },

    _cram() {
      if (!wanted) return;
      let room = CRAM_MAX_BYTES;
      const crammed = shelf._items.filter(({ _bytes }) => (room -= _bytes) > 0);
      try {
        if (crammed.length) localStorage[name] = recordOf(crammed);
        else delete localStorage[name];
      } catch (error) {
        fault(error);
      }
    },

    _restore: async () => (await (await kept)?._restore()) ?? [],

    async _close(forgets) {
      if (forgets) shelf._items = [];
      else shelf._cram();
      void (await kept)?._close(forgets);
    },

    _letGo: (isLeft) => keeping?._letGo(isLeft),
  };

  const kept = wanted
    ? import('./kept.ts')
        .then((part) => (keeping = part.createKeeping(shelf, PREFIX, name, recordOf, itemOf, fault)))
        .catch((error) => {
          wanted = false; // what nobody would fetch is not left either
          fault(error);
        })
    : undefined;
  return shelf;
}
