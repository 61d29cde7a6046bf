/** What a page says to have its player send CMCD, and what of it is filled in. */

import { uuid7 } from '../core/ids.ts';
import type { Monitor } from '../types.ts';

/** An event that CMCD version 2 reports (`e`), by its token. */
export type CmcdEvent =
  | 'ps' | 'e' | 't' | 'rr' | 'b' | 'bc' | 'c' | 'h' | 'm' | 'um' | 'pc' | 'pe' | 'pr'
  | 'as' | 'ae' | 'abs' | 'abe' | 'sk' | 'ce'; // prettier-ignore

/** Settings of a player's CMCD. */
export interface CmcdOptions {
  /**
   * The server (`https://metrics.example.org`) or the whole address of a CMCD door. Without it no
   * events are reported; `requests` may still have the CDN's log carry CMCD.
   */
  endpoint?: string;
  /** The write key of the property, where the server asks for one; it goes into the address. */
  key?: string;
  /** What is played (`cid`, at most 128 characters). A function is asked again for each record. */
  contentId?: string | (() => string | undefined);
  /** `sid`; default a fresh UUIDv7 for each source. With `monitor` it is the view's id. */
  sessionId?: string;
  /** The SDK on the same player: `sid` is its view id, so that both give one view. */
  monitor?: Pick<Monitor, 'viewId'>;
  /** Default all that a view needs: `ps e t rr b bc pr c`, and mute, size and ad events. */
  events?: readonly CmcdEvent[];
  /** Seconds between time reports (`t`). Default 10; the standard's own default is 30. */
  intervalS?: number;
  /** Adds CMCD to each media request, for the CDN's log: in its query or in its headers. */
  requests?: 'query' | 'header';
  /** Version of the CMCD of requests. Default 1; dash.js with `endpoint` sends 2. */
  requestVersion?: 1 | 2;
  /** Hears of what cannot be done or sent: a sentence. Default: a warning on the console, once each. */
  onReport?: (text: string) => void;
}

/** Stops what `configure…` set up; the player's own CMCD is switched off where it can be. */
export type StopCmcd = () => void;

const EVENTS: readonly CmcdEvent[] = [
  'ps', 'e', 't', 'rr', 'b', 'bc', 'c', 'm', 'um', 'pc', 'pe', 'pr', 'as', 'ae', 'abs', 'abe', 'sk', 'ce',
]; // prettier-ignore
const INTERVAL_S = 10;
const DOOR = '/cmcd';

/** The options with every default filled in. */
export interface Settled {
  /** The whole address of the door, with its key; empty: no events. */
  target: string;
  events: CmcdEvent[];
  intervalS: number;
  requests: 'query' | 'header' | undefined;
  requestVersion: 1 | 2;
  contentId(): string | undefined;
  /** The session's id now; `renew` begins another, where it is ours to choose. */
  sid(renew?: boolean): string;
  heard(text: string): void;
}

/** Fills in the defaults. */
export function settle(options: CmcdOptions): Settled {
  const { contentId, monitor, sessionId } = options;
  const said = new Set<string>();
  let id = sessionId ?? uuid7();
  return {
    target: options.endpoint ? targetOf(options.endpoint, options.key) : '',
    events: [...(options.events ?? EVENTS)],
    intervalS: options.intervalS ?? INTERVAL_S,
    requests: options.requests,
    requestVersion: options.requestVersion ?? 1,
    contentId: () => (typeof contentId === 'function' ? contentId() : contentId),
    sid(renew) {
      if (renew && !sessionId) id = uuid7();
      return monitor ? monitor.viewId : id;
    },
    heard(text) {
      if (options.onReport) options.onReport(text);
      else if (!said.has(text) && said.add(text).size <= 10) console.warn(`Playhead: ${text}`);
    },
  };
}

/** Returns the address of the CMCD door of a server, or the address as it is if it names a path. */
export function targetOf(endpoint: string, key?: string): string {
  const base = typeof location === 'undefined' ? undefined : location.href;
  const url = new URL(endpoint, base);
  if (url.pathname === '/') url.pathname = DOOR;
  if (key) url.searchParams.set('key', key);
  return url.href;
}
