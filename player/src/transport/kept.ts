/**
 * What is held, for the next visit: a database, and what dead pages have left. A part that comes after
 * the first events are on their way: the page does not wait for it. It imports nothing, so that it is one file.
 */

import type { WireEvent } from '../wire/event.ts';
import type { Item, itemOf as makes, recordOf as writes } from './item.ts';
import type { Shelf } from './shelf.ts';

const STORE = 'events';
/** Where there are no locks (plain http), what is older is taken for a dead page's. In ms. */
const UNLOCKED_MS = 60_000;

/** What the shelf asks of its keeping. */
export interface Keeping {
  /** The database is not used: it failed (private mode, no room). */
  _isOff(): boolean;
  /** Writes what is held, in one transaction. */
  _write(): Promise<void>;
  /** The shelf has let go of items. */
  _removed(): Promise<void>;
  /** Takes over what dead pages have left, and returns it. */
  _restore(): Promise<Item[]>;
  /** Writes a last time, or nothing (`forgets`), and lets go of the database. */
  _close(forgets?: boolean): Promise<void>;
  /** Shows no life while nothing is held; `left`: nor until told otherwise, the page is being left. */
  _letGo(left?: boolean): void;
}

/** A record: events, each with the address it is meant for. */
type Record_ = (WireEvent & { to: string })[];

/**
 * Keeps a shelf: `prefix` begins the names of all records, `name` is that of this page's record, lock and key.
 *
 * A page that keeps something holds a lock of its name, which the browser takes back when the page
 * dies: so the others know what is a dead page's, and theirs to send. It is held only that long,
 * for a page with a lock can neither be frozen nor go into the back/forward cache.
 */
export function createKeeping(
  shelf: Shelf,
  prefix: string,
  name: string,
  recordOf: typeof writes,
  itemOf: typeof makes,
  fault: (error: unknown) => void,
): Keeping {
  const { locks } = navigator;
  let isOff = false;
  let isClosed = false;
  /** The record holds something. */
  let isWritten = false;
  let opened: Promise<IDBDatabase> | undefined;
  let locked: Promise<unknown> | undefined;
  let unlock: (() => void) | undefined;

  function lock(): Promise<unknown> {
    return (locked ??= new Promise((granted) => {
      const hold = (): Promise<void> => {
        granted(0);
        return new Promise((release) => (unlock = release));
      };
      // Shared with nobody, but a second request of ours must not wait for the first.
      if (locks) locks.request(name, { mode: 'shared' }, hold).catch(granted);
      else granted(0);
    }));
  }

  /** Works in one transaction, seen by the others as living. */
  async function work(task: (store: IDBObjectStore) => void): Promise<void> {
    if (isOff) return;
    try {
      await lock();
      const transaction = (await (opened ??= open())).transaction(STORE, 'readwrite');
      task(transaction.objectStore(STORE));
      await done(transaction);
    } catch (error) {
      if (!isOff) fault(error);
      isOff = true;
    }
  }

  /** Puts the record of what is held now. */
  function record(store: IDBObjectStore): void {
    isWritten = shelf._items.length > 0;
    if (isWritten) store.put(recordOf(shelf._items), name);
    else store.delete(name);
  }

  /** Takes the records of the dead, in one transaction: of two pages that try one gets them. */
  async function takeOver(isDead: (owner: string) => boolean): Promise<Item[]> {
    /** By their text: what was in both places is held once. */
    const found: Record<string, Item> = {};
    let items: Item[] | undefined;
    /** Returns whether the record was a dead page's: it is ours now. */
    const take = (owner: string, list: string): boolean => {
      if (!isDead(owner)) return false;
      try {
        const kept = (JSON.parse(list) as Record_).map(({ to, ...event }) => itemOf(event, to));
        if (!locks && kept.some(({ _event }) => Date.now() - _event.timestamp < UNLOCKED_MS)) return false;
        for (const item of kept) found[item._text] = item;
      } catch {
        // Nobody can read it.
      }
      return true;
    };
    const hold = (): Item[] => {
      if (!items) shelf._items.unshift(...(items = Object.values(found)));
      return items;
    };
    try {
      for (const key of Object.keys(localStorage)) if (take(key, localStorage[key])) delete localStorage[key];
    } catch {
      // There is none.
    }
    await work((store) => {
      const owners = store.getAllKeys() as IDBRequest<string[]>;
      const lists: IDBRequest<string[]> = store.getAll();
      lists.onsuccess = () => {
        owners.result.forEach((owner, index) => {
          if (take(owner, lists.result[index]!)) store.delete(owner);
        });
        if (hold().length) record(store);
      };
    });
    const held = hold();
    if (isOff) shelf._cram();
    return held;
  }

  const keeping: Keeping = {
    _isOff: () => isOff,

    async _write() {
      if (isWritten || shelf._items.length) await work(record);
    },

    async _removed() {
      if (isWritten) await work(record);
      if (!shelf._items.length) keeping._letGo();
    },

    async _restore() {
      if (isOff) return [];
      try {
        await lock(); // who takes shows first that it lives
        if (isClosed) return [];
        const living = (await locks?.query())?.held!.map((held) => held.name);
        return await takeOver((owner) => owner.startsWith(prefix) && owner !== name && !living?.includes(owner));
      } finally {
        if (isClosed || !shelf._items.length) keeping._letGo();
      }
    },

    async _close(forgets) {
      isClosed = true;
      // Whoever forgets also deletes what is kept (`forget`), and waits for the database to be let go.
      if (forgets) isOff = true;
      else await keeping._write();
      (await opened)?.close();
      keeping._letGo();
    },

    _letGo(isLeft) {
      // One that is asked for but not granted yet stays: it is let go the next time.
      if (unlock || isLeft !== undefined) locked = isLeft ? Promise.resolve() : undefined;
      unlock?.();
      unlock = undefined;
    },
  };
  return keeping;
}

async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open('playhead');
  request.onupgradeneeded = () => {
    try {
      request.result.createObjectStore(STORE);
    } catch {
      // The page's own handler hears nothing of it.
    }
  };
  await done(request);
  const db = request.result;
  // Another page forgets what is kept: it waits for nobody.
  db.onversionchange = () => db.close();
  // Without its store it would be of no use to any later visit either.
  if (!db.objectStoreNames.length) indexedDB.deleteDatabase('playhead');
  return db;
}

/** Resolves when a request or a transaction is through. */
function done(work: IDBRequest | IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    const either = work as unknown as Record<string, () => void>;
    either.onsuccess = either.oncomplete = resolve;
    either.onerror = either.onabort = () => reject(work.error);
  });
}
