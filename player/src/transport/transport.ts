/** Takes events and sees to it that they reach the server, once. */

import type { Config, Report, Transport } from '../types.ts';
import type { WireEvent } from '../wire/event.ts';
import { waitMs } from './backoff.ts';
import { addressOf } from './endpoint.ts';
import { bodyOf, eventsOf, itemOf, type Item } from './item.ts';
import { batchOf, isTelling, surplusOf } from './queue.ts';
import { beacon, post, type Answer } from './sender.ts';
import { Shelf } from './shelf.ts';

/** What a beacon may carry, with room for other beacons of the page. */
const BODY_MAX_BYTES = 60_000;
/** Events are written to the shelf this long after they are made, unless they have arrived. */
const WRITE_MS = 1_000;

/**
 * Makes a transport. At most one request is on its way at a time, beacons aside. Intervals are
 * measured by the monotonic clock only.
 */
export function createTransport(config: Config, report: (report: Report) => void): Transport {
  return new Line(config, report);
}

class Line implements Transport {
  private readonly _url: string;
  private readonly _shelf: Shelf;
  private readonly _maxBytes: number;
  private readonly _flushMs: number;
  private _maxEvents: number;
  /** When the events of the last second happened; ms since 1970. */
  private _recent: number[] = [];
  private _busy: Promise<void> | undefined;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _writer: ReturnType<typeof setTimeout> | undefined;
  /** Nothing is sent before; monotonic ms. */
  private _notBefore = 0;
  private _failures = 0;
  /** Of the last answer; 0 = none came. */
  private _status = 0;
  private _closed = false;
  private readonly _listening = new AbortController();

  constructor(
    private readonly _config: Config,
    private readonly _report: (report: Report) => void,
  ) {
    const { maxBodyBytes = BODY_MAX_BYTES, maxBatchEvents = 100, flushMs = 1e4, keepMs = 864e5 } = _config;
    this._maxBytes = Math.min(maxBodyBytes, BODY_MAX_BYTES);
    this._maxEvents = maxBatchEvents;
    this._flushMs = flushMs;
    this._url = addressOf(_config);
    const isWanted = _config.storage !== false && _config.consent !== 'cookieless';
    this._shelf = new Shelf(this._url, isWanted ? keepMs : 0, (error) =>
      this._tell('fault', `Nothing is kept: ${error}`),
    );
    for (const type of ['online', 'pageshow', 'visibilitychange', 'pagehide']) {
      // The controller serves as the options: it has the signal that ends listening.
      addEventListener(type, (event) => this._turn(event), this._listening);
    }
    this._restore();
  }

  put(event: WireEvent, urgent: boolean): void {
    if (this._closed) return;
    const { maxEventsPerSecond = 50, maxQueueEvents = 2e3 } = this._config;
    const items = this._shelf._items;
    try {
      const k = `${Date.now()}${Math.random()}`;
      const item = itemOf({ k, o: '', e: event }, false);
      if (item._bytes >= this._maxBytes) throw 'too large';
      // By the events' own clock: what happened before the play comes with it, all in one moment.
      const at = event.timestamp;
      this._recent = this._recent.filter((other) => Math.abs(other - at) < 1e3);
      const room = isTelling(event) ? 2 : 1;
      if (this._recent.length >= maxEventsPerSecond * room) throw 'too many';
      // An ordinary one makes an older one go.
      if (items.length >= maxQueueEvents * 2) throw 'no room';
      this._recent.push(at);
      items.push(item);
    } catch (error) {
      return this._tell('dropped', `${error}`, [event]);
    }
    this._tell('queued', `${items.length} held`, [event]);
    this._drop(surplusOf(items, maxQueueEvents), 'no room');
    this._writer ??= setTimeout(() => {
      this._writer = undefined;
      this._shelf._write();
    }, WRITE_MS);
    this._arm(urgent || items.length >= this._maxEvents ? 0 : this._flushMs);
  }

  async flush(leaving?: boolean): Promise<void> {
    if (this._closed) return;
    if (leaving) return this._leave();
    return (this._busy ??= this._drain());
  }

  close(forget?: boolean): void {
    this._shut();
    if (forget) this._shelf._forget();
    else this._shelf._close();
  }

  /** Sends all there is, one request after another, until one fails. */
  private async _drain(): Promise<void> {
    await 0; // so that `_busy` is set before it is taken back
    while (!this._closed && this._shelf._items.length && performance.now() >= this._notBefore) {
      await this._send();
    }
    this._busy = undefined;
    this._arm(0);
  }

  private async _send(): Promise<void> {
    const batch = batchOf(this._shelf._items, this._maxEvents, this._maxBytes);
    const text = bodyOf(batch);
    const events = eventsOf(batch);
    this._tell('sent', `${text.length} characters`, events);
    const answer: Answer =
      navigator.onLine === false
        ? { status: 0, body: 'offline' }
        : await post(this._url, text, this._config.gzip);
    const { status, body } = answer;
    this._status = status;
    this._tell('answer', `${status} ${body}`, events, answer);
    if (status === 413 && batch.length > 1) this._maxEvents = batch.length >> 1;
    else if (!status || status > 499 || status === 408 || status === 429) this._retry(batch, answer);
    else {
      this._failures = 0;
      if (status < 300) this._shelf._remove(batch);
      else this._drop(status === 410 ? this._shelf._items : batch, `${status}`);
      if (status === 410) {
        this._shut();
        this._tell('stopped', 'the server wants no more');
      }
    }
  }

  private _retry(batch: Item[], { status, retryAfter }: Answer): void {
    const { backoffMs = 1e3, backoffMaxMs = 6e4, maxRetries = 8 } = this._config;
    const wait = waitMs(this._failures++, backoffMs, backoffMaxMs, retryAfter);
    this._notBefore = performance.now() + wait;
    this._tell('retry', `in ${wait | 0} ms`, eventsOf(batch));
    // Only this answer blames the batch; the others say that the server is away or busy.
    if (status !== 500 || this._failures < maxRetries) return;
    this._failures = 0;
    this._shelf._remove(batch, true);
    this._tell('kept', 'failed too often', eventsOf(batch));
  }

  /** Sends by beacon and keeps it all the same: a beacon has no answer. A page that lives on sends again. */
  private _leave(): void {
    const shelf = this._shelf;
    // A server that asked for time gets it, unless nothing could be sent later.
    const waits = this._status && performance.now() < this._notBefore && !shelf._off;
    let rest = waits ? [] : shelf._items.filter((item) => !item._beaconed);
    while (rest.length) {
      const batch = batchOf(rest, this._maxEvents, this._maxBytes);
      if (!beacon(this._url, bodyOf(batch))) break;
      for (const item of batch) item._beaconed = true;
      rest = rest.slice(batch.length);
      this._tell('sent', 'by beacon', eventsOf(batch));
    }
    shelf._cram();
    shelf._write();
    this._arm(this._flushMs);
  }

  /** Sees to it that what is held leaves in so many ms at most, or when sending is allowed again. */
  private _arm(delayMs: number): void {
    if (this._closed || !this._shelf._items.length || (this._timer && delayMs)) return;
    clearTimeout(this._timer);
    this._timer = setTimeout(() => {
      this._timer = undefined;
      this.flush();
    }, Math.max(delayMs, this._notBefore - performance.now()));
  }

  /** Takes over what earlier visits and closed tabs have left. */
  private async _restore(): Promise<void> {
    try {
      const items = await this._shelf._restore();
      if (!items.length) return;
      this._tell('restored', '', eventsOf(items));
      this._arm(0);
    } catch (error) {
      this._tell('fault', `${error}`);
    }
  }

  private _drop(items: Item[], why: string): void {
    this._shelf._remove(items);
    if (items.length) this._tell('dropped', why, eventsOf(items));
  }

  private _shut(): void {
    this._closed = true;
    clearTimeout(this._timer);
    clearTimeout(this._writer);
    this._listening.abort();
  }

  /** The page goes, comes back, or the network does. */
  private _turn({ type, persisted }: Event & { persisted?: boolean }): void {
    if (type === 'pagehide') return this._shelf._letGo(true);
    if (persisted) this._shelf._letGo(false);
    if (document.hidden) return;
    // Not the server asked for the wait.
    if (!this._status) this._notBefore = 0;
    this.flush();
    this._restore();
  }

  private _tell(what: Report['what'], text: string, events: WireEvent[] = [], answer?: Answer): void {
    try {
      this._report({ at: Date.now(), what, text, events, ...answer });
    } catch {
      // The page's own fault.
    }
  }
}
