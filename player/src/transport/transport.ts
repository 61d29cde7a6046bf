/** Takes events and sees to it that they reach the server, once. */

import { guardWith, type Tell } from '../core/guard.ts';
import { listener } from '../core/listener.ts';
import type { Config, Report, Transport } from '../types.ts';
import { isAway, waitMs } from './backoff.ts';
import { addressOf } from './endpoint.ts';
import { bodyOf, type Item, itemOf } from './item.ts';
import { batchOf, isTelling, surplusOf } from './queue.ts';
import { type Answer, beacon, post } from './sender.ts';
import { createShelf } from './shelf.ts';

/** What a beacon may carry, with room for other beacons of the page. */
const BODY_MAX_BYTES = 60_000;
/** Events are written to the shelf this long after they are made, unless they have arrived. */
const WRITE_MS = 1_000;

type Timer = ReturnType<typeof setTimeout> | undefined;

const now = (): number => performance.now();

/**
 * Makes a transport. At most one request is on its way at a time, beacons aside. Intervals are
 * measured by the monotonic clock only.
 */
export function createTransport(config: Config, tell: Tell): Transport {
  const {
    maxBatchEvents = 100, flushMs = 1e4, maxBodyBytes = BODY_MAX_BYTES, maxQueueEvents = 2e3,
    maxRetries = 8, backoffMs = 1e3, backoffMaxMs = 6e4, maxEventsPerSecond = 50, keepMs = 864e5,
  } = config; // prettier-ignore
  const url = addressOf(config);
  const isWanted = keepMs > 0 && config.storage !== false && config.consent !== 'cookieless';
  const shelf = createShelf(isWanted, (error) => tell('fault', `Not kept: ${error}`));
  const guard = guardWith(tell);
  const { listen, _undo: undo } = listener(guard);
  const maxBytes = Math.min(maxBodyBytes, BODY_MAX_BYTES);
  let maxEvents = maxBatchEvents;
  let recent: number[] = []; // when the events of the last second happened; ms since 1970
  let busy: Promise<void> | undefined;
  let timer: Timer, writer: Timer;
  let notBefore = 0; // nothing is sent before; monotonic ms
  let failures = 0, status = 0; // sendings in a row that failed; what the last answer was, 0 = none came
  let isClosed = false;
  const say = (what: Report['what'], text: string, items: Item[], answer?: Answer): void =>
    tell(what, text, items.map(({ _event }) => _event), answer);
  const cut = (items: Item[]): Item[] => batchOf(items, maxEvents, maxBytes);
  const due = (to?: string): Item[] => shelf._items.filter((item) => !item._isLeft && (!to || item._to === to));
  const next = (): Item | undefined => due(url)[0] ?? due()[0]; // what was kept for another address goes last

  function put(...[event, urgent]: Parameters<Transport['put']>): boolean {
    if (isClosed) return false;
    const items = shelf._items;
    try {
      const item = itemOf(event, url);
      if (item._bytes >= maxBytes) throw 'too large';
      // By the events' own clock: what happened before the play comes with it, all in one moment.
      const at = event.timestamp;
      recent = recent.filter((other) => Math.abs(other - at) < 1e3);
      // Requests come by the dozen where the network is fast: half of the room is the others'.
      const most = event.eventType === 'REQUEST' ? maxEventsPerSecond / 2 : maxEventsPerSecond;
      if (recent.length >= most && !isTelling(event)) throw 'too many';
      // An ordinary one makes an older one go.
      if (items.length >= maxQueueEvents * 2) throw 'no room';
      recent.push(at);
      items.push(item);
    } catch (error) {
      tell('dropped', `${error}`, [event]);
      return false;
    }
    tell('queued', `${items.length}`, [event]);
    drop(surplusOf(items, maxQueueEvents), 'no room');
    writer ??= setTimeout(() => {
      writer = undefined;
      void shelf._write();
    }, WRITE_MS);
    arm(urgent || due(url).length >= maxEvents ? 0 : flushMs);
    return true;
  }

  /** Sends all there is, one request after another, until one fails. */
  async function drain(): Promise<void> {
    await 0; // so that `busy` is set before it is taken back
    try {
      for (let item; !isClosed && now() >= notBefore && (item = next()); ) await send(item._to);
    } finally {
      busy = undefined;
    }
    arm(0);
  }

  async function send(to: string): Promise<void> {
    const batch = cut(due(to));
    const text = bodyOf(batch);
    say('sent', `${text.length}`, batch);
    const answer = await post(to, text, config.gzip);
    status = answer.status;
    say('answer', `${status} ${answer.body}`, batch, answer);
    // The server is away or busy, or wants another key, which may be put right until the next visit.
    const away = isAway(status);
    if (status === 413 && batch.length > 1) maxEvents = batch.length >> 1;
    // What another address makes of an earlier page's events keeps nobody waiting.
    else if (status === 401 || status === 403 || (away && to !== url)) leaveFor(due(to));
    else if (away) {
      const wait = waitMs(failures++, backoffMs, backoffMaxMs, answer.retryAfter);
      notBefore = now() + wait;
      say('retry', `${wait | 0}`, batch);
      // Only this answer blames the batch.
      if (status === 500 && failures >= maxRetries) {
        failures = 0;
        leaveFor(batch);
      }
    } else {
      failures = 0;
      if (status < 300) shelf._remove(batch);
      else drop(status === 410 ? due(to) : batch, `${status}`);
      if (status === 410 && to === url) {
        shut();
        tell('stopped', '');
      }
    }
  }

  /** Leaves items for the next visit; they count as held, and go when there is no room. */
  function leaveFor(items: Item[]): void {
    if (!isWanted) return drop(items, `${status}`);
    for (const item of items) item._isLeft = true;
    say('kept', `${status}`, items);
  }

  /** Sends by beacon and keeps it all the same: a beacon has no answer. A page that lives on sends again. */
  function leave(): void {
    // A server that asked for time gets it, unless nothing could be sent later.
    const waits = status && now() < notBefore && !shelf._isOff();
    let rest = waits ? [] : due(url).filter((item) => !item._beaconed);
    while (rest.length) {
      const batch = cut(rest);
      if (!beacon(url, bodyOf(batch))) break;
      for (const item of batch) item._beaconed = true;
      rest = rest.slice(batch.length);
      say('sent', 'beacon', batch);
    }
    shelf._cram();
    void shelf._write();
    arm(flushMs);
  }

  /** Sees to it that what is held leaves in so many ms at most, or when sending is allowed again. */
  function arm(delayMs: number): void {
    if (isClosed || !next() || (timer && delayMs)) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = undefined;
      void flush();
    }, Math.max(delayMs, notBefore - now()));
  }

  /** Takes over what earlier visits and closed tabs have left. */
  const restore = guard(async () => {
    const items = await shelf._restore();
    if (!items.length) return;
    say('restored', '', items);
    drop(items.filter(({ _event }) => Date.now() - _event.timestamp > keepMs), 'too old');
    arm(0);
  });

  const flush: Transport['flush'] = guard(async (leaving) => {
    if (isClosed) return;
    if (leaving) leave();
    else await (busy ??= drain());
  }) as Transport['flush'];

  function drop(items: Item[], why: string): void {
    if (!items.length) return;
    shelf._remove(items);
    say('dropped', why, items);
  }

  function shut(): void {
    isClosed = true;
    clearTimeout(timer);
    clearTimeout(writer);
    undo.forEach((call) => call());
  }

  /** The page goes, comes back, or the network does. */
  function turn({ type, persisted }: Event & { persisted?: boolean }): void {
    if (type === 'pagehide') return shelf._letGo(true);
    if (persisted) shelf._letGo(false);
    if (document.hidden) return;
    // Not the server asked for the wait.
    if (!status) notBefore = 0;
    void flush();
    void restore();
  }

  listen(window, 'online pageshow visibilitychange pagehide', turn);
  void restore();
  return {
    put,
    flush,
    close(forget) {
      shut();
      void shelf._close(forget);
    },
  };
}
