/** Names of viewers, sessions and views. */

import type { Config, Consent } from '../types.ts';

/** A session ends when nothing was heard of it this long. */
const SESSION_MS = 1_800_000;
/** How often the session's last sign of life is written down. */
const TOUCH_MS = 60_000;
const STORE = 'playhead';

/** Returns a UUIDv7: its first part is the time, so that views sort by their begin. */
export function uuid7(): string {
  const time = '0' + Date.now().toString(16); // 48 bits, until the year 2527
  let place = 0;
  const digit = (): string => time[place++] ?? (crypto.getRandomValues(new Uint8Array(1))[0]! & 15).toString(16);
  return 'xxxxxxxx-xxxx-7xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, digit);
}

/** Who watches, as far as the viewer agreed to be known. */
export interface Ids {
  /** What each event says of them; no viewer where viewers are not to be told apart. */
  _who: { viewerId?: string; sessionId: string };
  /** Returns whether the session goes on at a moment (ms since 1970); a sign of life. */
  _touch(at: number): boolean;
}

/** Keeps a text in the browser, or returns what is kept. Browsers refuse by throwing, even when only asked. */
function store(text?: string): string {
  try {
    return text ? (localStorage[STORE] = text) : localStorage[STORE] || '';
  } catch {
    return ''; // without storage the ids last as long as the page
  }
}

/** Forgets who watches, and what pages of this origin have kept of it: ids and unsent events. */
export function forget(): void {
  try {
    for (const key in localStorage) if (key.startsWith(STORE)) delete localStorage[key];
    indexedDB.deleteDatabase(STORE);
  } catch {
    // Without storage there is nothing to forget.
  }
}

/** Returns the ids of viewer and session: the page's own, those kept in the browser, or new ones. */
export function identify(config: Config, consent: Consent): Ids {
  const full = consent === 'full';
  const kept = full && config.storage !== false;
  const [viewer, session, last] = kept ? store().split(' ') : [];
  const who = {
    ...(full && { viewerId: config.viewerId || viewer || uuid7() }),
    sessionId: config.sessionId || (Date.now() - Number(last) < SESSION_MS && session) || uuid7(),
  };
  let heardAt = Infinity;
  let writtenAt = 0;
  return {
    _who: who,
    _touch(at) {
      const alive = at - heardAt < SESSION_MS;
      heardAt = at;
      if (kept && at - writtenAt >= TOUCH_MS) {
        // A viewer id of the page's own is the page's to keep.
        store(`${config.viewerId ? viewer || '' : who.viewerId} ${who.sessionId} ${(writtenAt = at)}`);
      }
      return alive;
    },
  };
}
