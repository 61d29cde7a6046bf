/** What is held until the server has acknowledged it, in memory and for the next visit. */

import { itemOf, type Item, type Kept } from './item.ts';

const STORE = 'events';
/** Begins the names of locks and of keys in `localStorage`. */
const PREFIX = 'playhead:';
/** In `localStorage`, which the page needs for itself. */
const CRAM_MAX_BYTES = 250_000;
/** Where there are no locks (plain http), what is older is taken for a dead page's. In ms. */
const UNLOCKED_MS = 60_000;

/**
 * A page's part of what the origin's pages keep: in a database, and in `localStorage` for the
 * moment of unloading, where a transaction may not complete.
 *
 * A page that keeps something holds a lock of its name, which the browser takes back when the page
 * dies: so the others know what is a dead page's, and theirs to send. It is held only that long,
 * for a page with a lock can neither be frozen nor go into the back/forward cache.
 */
export class Shelf {
  _items: Item[] = [];
  /** The database is not used: unwanted, or it failed (private mode, no room). */
  _off: boolean;
  /** For one address: another player of this origin may send elsewhere. */
  private readonly _kin: string;
  /** Of this page: owner, lock and key. */
  private readonly _name: string;
  private _closed = false;
  private _opened: Promise<IDBDatabase> | undefined;
  private _locked: Promise<unknown> | undefined;
  private _unlock: (() => void) | undefined;

  constructor(
    url: string,
    /** 0 = nothing is kept. */
    private readonly _keepMs: number,
    private readonly _fault: (error: unknown) => void,
  ) {
    this._off = !_keepMs;
    this._kin = `${PREFIX}${url} `;
    this._name = this._kin + Math.random();
  }

  /** Writes what is not written, in one transaction. */
  async _write(): Promise<void> {
    const fresh = (): Item[] => this._items.filter((item) => !item._stored);
    if (fresh().length) {
      await this._work((store) => {
        for (const item of fresh()) {
          item._stored = true;
          store.put(this._mine(item));
        }
      });
    }
  }

  /** Lets go of items; `keep`: but not of what is written of them. */
  async _remove(items: Item[], keep?: boolean): Promise<void> {
    this._items = this._items.filter((item) => !items.includes(item));
    const written = items.filter((item) => item._stored && !keep);
    if (written.length) await this._work((store) => written.forEach(({ k }) => store.delete(k)));
    if (!this._items.length) this._letGo();
  }

  /** Writes all where writing waits for nothing, and replaces what was there. */
  _cram(): void {
    if (!this._keepMs) return;
    let room = CRAM_MAX_BYTES;
    const kept = this._items.filter(({ _bytes }) => (room -= _bytes + 99) > 0);
    try {
      localStorage.removeItem(this._name);
      if (kept.length) {
        localStorage.setItem(this._name, JSON.stringify(kept.map((item) => this._mine(item))));
      }
    } catch (error) {
      this._fault(error);
    }
  }

  /** Takes over what dead pages have left for the same address, and returns it. */
  async _restore(): Promise<Item[]> {
    if (this._off) return [];
    const { locks } = navigator;
    const work = async (): Promise<Item[]> => {
      if (this._closed) return [];
      const living = (await locks?.query())?.held!.map((lock) => lock.name);
      return this._takeOver(
        (owner, at) =>
          owner.startsWith(this._kin) &&
          owner !== this._name &&
          (living ? !living.includes(owner) : Date.now() - at > UNLOCKED_MS),
      );
    };
    try {
      // One page at a time, and each shows that it lives before it takes.
      await this._lock();
      return await (locks ? locks.request(PREFIX, work) : work());
    } finally {
      if (this._closed || !this._items.length) this._letGo();
    }
  }

  /** Keeps what is held for whoever comes next. */
  async _close(): Promise<void> {
    this._closed = true;
    this._cram();
    await this._write();
    this._letGo();
  }

  /** Forgets what all pages have kept. */
  async _forget(): Promise<void> {
    this._closed = true;
    this._items = [];
    this._off = false;
    await this._work((store) => {
      store.clear();
      for (const name of Object.keys(localStorage)) {
        if (name.startsWith(PREFIX)) localStorage.removeItem(name);
      }
    });
    this._letGo();
  }

  /** Shows no life while nothing is held; `left`: nor until told otherwise, the page is being left. */
  _letGo(left?: boolean): void {
    // One that is asked for but not granted yet stays: it is let go the next time.
    if (this._unlock || left !== undefined) this._locked = left ? Promise.resolve() : undefined;
    this._unlock?.();
    this._unlock = undefined;
  }

  private _lock(): Promise<unknown> {
    return (this._locked ??= new Promise((granted) => {
      const held = (): Promise<void> => {
        granted(0);
        return new Promise((unlock) => (this._unlock = unlock));
      };
      const { locks } = navigator;
      // Shared with nobody, but a second request of ours must not wait for the first.
      if (locks) locks.request(this._name, { mode: 'shared' }, held).catch(granted);
      else granted(0);
    }));
  }

  private async _takeOver(isLeft: (owner: string, at: number) => boolean): Promise<Item[]> {
    const found = new Map<string, Kept>();
    let names: string[] = [];
    const isOld = (kept: Kept): boolean => Date.now() - kept.e.timestamp > this._keepMs;
    try {
      names = Object.keys(localStorage).filter((name) => isLeft(name, 0));
      for (const name of names) {
        for (const kept of JSON.parse(localStorage.getItem(name)!) as Kept[]) {
          if (!isOld(kept)) found.set(kept.k, kept);
        }
      }
    } catch {
      // There is none.
    }
    await this._work((store) => {
      const all: IDBRequest<Kept[]> = store.getAll();
      all.onsuccess = () => {
        for (const kept of all.result) {
          if (isOld(kept)) store.delete(kept.k);
          else if (isLeft(kept.o, kept.e.timestamp)) found.set(kept.k, kept);
        }
        for (const kept of found.values()) store.put(this._mine(kept));
      };
    });
    const items = [...found.values()].map((kept) => itemOf(kept, !this._off));
    this._items.unshift(...items);
    if (this._off) this._cram();
    for (const name of names) localStorage.removeItem(name);
    return items;
  }

  private _mine({ k, e }: Kept): Kept {
    return { k, o: this._name, e };
  }

  /** Works in one transaction, seen by the others as living. */
  private async _work(work: (store: IDBObjectStore) => void): Promise<void> {
    if (this._off) return;
    try {
      await this._lock();
      const db = await (this._opened ??= open());
      const transaction = db.transaction(STORE, 'readwrite');
      work(transaction.objectStore(STORE));
      await done(transaction);
    } catch (error) {
      if (!this._off) this._fault(error);
      this._off = true;
    }
  }
}

async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open('playhead');
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'k' });
  await done(request);
  return request.result;
}

/** Resolves when a request or a transaction is through. */
function done(work: IDBRequest | IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    const either = work as unknown as Record<string, () => void>;
    either.onsuccess = either.oncomplete = resolve;
    either.onerror = either.onabort = () => reject(work.error);
  });
}
