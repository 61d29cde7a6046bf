/** What is held until the server has acknowledged it, in memory and for the next visit. */

import type { WireEvent } from '../wire/event.ts';
import { type Item, itemOf, listOf } from './item.ts';

const STORE = 'events';
/** Begins the names of locks, of records in the database and of keys in `localStorage`. */
const PREFIX = 'playhead:';
/** In `localStorage`, which the page needs for itself. */
const CRAM_MAX_BYTES = 250_000;
/** Where there are no locks (plain http), what is older is taken for a dead page's. In ms. */
const UNLOCKED_MS = 60_000;

/** A page's part of what the origin's pages keep. */
export interface Shelf {
  /** What is held, oldest first. */
  _items: Item[];
  /** The database is not used: unwanted, or it failed (private mode, no room). */
  _isOff(): boolean;
  /** Writes what is held, in one transaction. */
  _write(): Promise<void>;
  /** Lets go of items; `isKept`: but not of what is written of them. */
  _remove(items: Item[], isKept?: boolean): void;
  /** Writes where writing waits for nothing, and replaces what was there. */
  _cram(): void;
  /** Takes over what dead pages have left for the same address, and returns it. */
  _restore(): Promise<Item[]>;
  /** Keeps what is held for whoever comes next; `forgets`: nothing of it. */
  _close(forgets?: boolean): Promise<void>;
  /** Shows no life while nothing is held; `left`: nor until told otherwise, the page is being left. */
  _letGo(left?: boolean): void;
}

/**
 * Makes a shelf for one address: another player of this origin may send elsewhere. `keepMs` 0 = nothing
 * is kept.
 *
 * Each page has one record, the JSON list of what it holds: in a database, and in `localStorage` for
 * the moment of unloading, where a transaction may not complete.
 *
 * A page that keeps something holds a lock of its name, which the browser takes back when the page
 * dies: so the others know what is a dead page's, and theirs to send. It is held only that long,
 * for a page with a lock can neither be frozen nor go into the back/forward cache.
 */
export function createShelf(url: string, keepMs: number, fault: (error: unknown) => void): Shelf {
  const kin = `${PREFIX}${url} `;
  /** Of this page: record, lock and key. */
  const name = kin + Math.random();
  const { locks } = navigator;
  let isOff = !keepMs;
  let isClosed = false;
  /** The record holds something. */
  let isWritten = false;
  /** No longer held, but in the record: for the next visit. */
  let left: Item[] = [];
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
      const db = await (opened ??= open());
      const transaction = db.transaction(STORE, 'readwrite');
      task(transaction.objectStore(STORE));
      await done(transaction);
    } catch (error) {
      if (!isOff) fault(error);
      isOff = true;
    }
  }

  const all = (): Item[] => [...left, ...shelf._items];

  /** Puts the record of what is held now. */
  function record(store: IDBObjectStore): void {
    isWritten = all().length > 0;
    if (isWritten) store.put(listOf(all()), name);
    else store.delete(name);
  }

  /** Takes the records of the dead, in one transaction: of two pages that try one gets them. */
  async function takeOver(isDead: (owner: string) => boolean): Promise<Item[]> {
    const found = new Map<string, Item>();
    let items: Item[] | undefined;
    /** Returns whether the record was a dead page's: it is ours now. */
    const take = (owner: string, list: string): boolean => {
      if (!isDead(owner)) return false;
      try {
        const events = JSON.parse(list) as WireEvent[];
        const ageOf = ({ timestamp }: WireEvent): number => Date.now() - timestamp;
        if (!locks && events.some((event) => ageOf(event) < UNLOCKED_MS)) return false;
        for (const event of events) {
          if (ageOf(event) <= keepMs) found.set(`${event.viewId} ${event.seq}`, itemOf(event));
        }
      } catch {
        // Nobody can read it.
      }
      return true;
    };
    const hold = (): Item[] => {
      if (!items) shelf._items.unshift(...(items = [...found.values()]));
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

  const shelf: Shelf = {
    _items: [],
    _isOff: () => isOff,

    async _write() {
      if (isWritten || all().length) await work(record);
    },

    async _remove(items, isKept) {
      shelf._items = shelf._items.filter((item) => !items.includes(item));
      if (isKept) left.push(...items);
      if (isWritten || isKept) await work(record);
      if (!all().length) shelf._letGo();
    },

    _cram() {
      if (!keepMs) return;
      let room = CRAM_MAX_BYTES;
      const kept = all().filter(({ _bytes }) => (room -= _bytes) > 0);
      try {
        if (kept.length) localStorage[name] = listOf(kept);
        else delete localStorage[name];
      } catch (error) {
        fault(error);
      }
    },

    async _restore() {
      if (isOff) return [];
      try {
        await lock(); // who takes shows first that it lives
        if (isClosed) return [];
        const living = (await locks?.query())?.held!.map((held) => held.name);
        return await takeOver((owner) => owner.startsWith(kin) && owner !== name && !living?.includes(owner));
      } finally {
        if (isClosed || !all().length) shelf._letGo();
      }
    },

    async _close(forgets) {
      isClosed = true;
      if (forgets) {
        // Whoever wants that also deletes what is kept (`forget`), and waits for the database to be let go.
        shelf._items = left = [];
        isOff = true;
      } else {
        shelf._cram();
        await shelf._write();
      }
      (await opened)?.close();
      shelf._letGo();
    },

    _letGo(isLeft) {
      // One that is asked for but not granted yet stays: it is let go the next time.
      if (unlock || isLeft !== undefined) locked = isLeft ? Promise.resolve() : undefined;
      unlock?.();
      unlock = undefined;
    },
  };
  return shelf;
}

async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open('playhead');
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  await done(request);
  const db = request.result;
  // Another page forgets what is kept: it waits for nobody.
  db.onversionchange = () => db.close();
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
