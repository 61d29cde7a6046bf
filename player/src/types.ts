/** The contracts of the package: what a page gives and gets, and what the parts say to each other. */

import type { Ad, Kind, PlayerError, WireEvent } from './wire/event.ts';

/** What a view is in. The words are the server's; `abandoned` is an exit before video start. */
export type State =
  | 'idle'
  | 'starting'
  | 'playing'
  | 'rebuffering'
  | 'seeking'
  | 'paused'
  | 'ad'
  | 'ad_rebuffering'
  | 'ended'
  | 'failed'
  | 'abandoned'
  | 'stopped';

/** What an event may carry besides what the view itself adds (ids, clocks, sequence). */
export type Fields = Partial<
  Omit<
    WireEvent,
    'eventType' | 'timestamp' | 'viewerId' | 'sessionId' | 'viewId' | 'seq' | 'sentAt' | 'monotonicMs'
  >
>;

/** What the page may tell of the video; changes with `Monitor.next`. */
export interface Video {
  id?: string;
  title?: string;
  /** `vod`, `live` or `ll-live`; found out from the player where it says. */
  streamType?: string;
  durationSec?: number;
}

/**
 * `full`: viewer and session ids are kept in the browser. `cookieless`: nothing is kept, the server
 * counts viewers by a salted hash that changes every day. `none`: nothing is measured nor sent.
 */
export type Consent = 'full' | 'cookieless' | 'none';

/** What the transport did, for the debug overlay and for `Config.onReport`. */
export interface Report {
  /** ms since 1970. */
  at: number;
  what: 'queued' | 'sent' | 'answer' | 'retry' | 'kept' | 'restored' | 'dropped' | 'stopped' | 'fault';
  /** What more there is to say: a reason, characters sent, ms to wait. The debug overlay makes a sentence of it. */
  text: string;
  events?: WireEvent[];
  status?: number;
  /** The server's answer, as it came. */
  body?: string;
}

/** Settings of a monitor. Times in ms, sizes in bytes. */
export interface Config {
  /** The server (`https://metrics.example.org`) or the whole address of a telemetry door. */
  endpoint: string;
  /** The write key of the property, where the server asks for one. */
  key?: string;
  /** Your own pseudonym of the viewer; without it a random one is kept in the browser. */
  viewerId?: string;
  sessionId?: string;
  video?: Video;
  cdn?: string;
  experiment?: string;
  variant?: string;
  /** Dimensions of your own. */
  custom?: Record<string, string | number | boolean>;
  /** Default `full`, or `cookieless` where the browser sends Global Privacy Control. */
  consent?: Consent;
  /** False: Global Privacy Control and Do Not Track change nothing. Default true. */
  honourGpc?: boolean;
  /** Default 10,000. */
  heartbeatMs?: number;
  /** How long ordinary events wait for a batch. Default 10,000. */
  flushMs?: number;
  /** Default 100. */
  maxBatchEvents?: number;
  /** Default 60,000: what a beacon may carry. */
  maxBodyBytes?: number;
  /** Events held while nothing can be sent; the oldest ordinary ones go first. Default 2,000. */
  maxQueueEvents?: number;
  /** Answers of 500 to one batch in one page before it is left for the next visit. Default 8. */
  maxRetries?: number;
  /** Default 1,000, doubled each time, at most `backoffMaxMs`. */
  backoffMs?: number;
  /** Default 60,000. */
  backoffMaxMs?: number;
  /** Events of one view in any second; more are dropped and counted. Default 50. */
  maxEventsPerSecond?: number;
  /** Default 86,400,000: what is kept for the next visit longer than this is thrown away. */
  keepMs?: number;
  /** False: nothing survives the page. Default true, never in cookieless mode. */
  storage?: boolean;
  /** Default true where the browser can. */
  gzip?: boolean;
  /** True: a replay after the end is a view of its own. Default false. */
  replayIsNewView?: boolean;
  /** True: `REQUEST` events for manifests and segments. Default true. */
  requests?: boolean;
  /** Hears everything the transport does. */
  onReport?: (report: Report) => void;
  /** Hears every event as it is made. */
  onEvent?: (event: WireEvent) => void;
}

/** What a page holds of a measured player. No call ever throws. */
export interface Monitor {
  readonly viewId: string;
  readonly sessionId: string;
  readonly viewerId: string;
  readonly state: State;
  /** Tells what only the page knows, at any time. */
  update(facts: Pick<Config, 'video' | 'cdn' | 'experiment' | 'variant' | 'custom'>): void;
  /** Ends the view and begins another: the same player shows another video. */
  next(video?: Video): void;
  /** A `CUSTOM` event. */
  event(name: string, data?: Record<string, string | number | boolean>): void;
  /** An error of the page's own; fatal ends the view as failed unless it plays on. */
  error(error: PlayerError): void;
  /** An ad event of the page's own ad player; see `@playhead/player/ads` for IMA and VAST. */
  ad(kind: AdKind, ad?: Ad, error?: PlayerError): void;
  /** Counts one act of the viewer (a click on quality, captions, full screen). */
  interaction(name?: string): void;
  /** Consent given or taken back: `none` forgets what is kept. */
  consent(mode: Consent): void;
  /** Sends what is held; resolves when the server has answered or sending failed. */
  flush(): Promise<void>;
  /** Ends the view, sends what is held, and lets go of everything. */
  destroy(): void;
}

export type AdKind = Extract<Kind, `AD_${string}`>;

/** Fastens a player to a monitor: it may listen and tell, and returns how to let go. */
export type Adapter = (host: Host) => (() => void) | void;

/**
 * What a monitor offers its adapters. Whatever is called through it may throw: the page never sees
 * it. Moments are of `now()`, positions seconds of content.
 */
export interface Host {
  readonly config: Config;
  /** Monotonic whole ms: the page's `performance.now()`. */
  now(): number;
  /**
   * Something happened: it goes through the state machine, which decides what becomes of it.
   * `position` is where the playhead stands; kinds without a place in the machine go out as they are.
   */
  take(kind: Kind, fields?: Fields, position?: number, at?: number): void;
  /** Where the playhead stands now; several times a second while it should move. Sends nothing. */
  progress(position: number, rate: number, at?: number): void;
  /** Facts of the view: each goes out once, with the next event (`playerName`, `durationSec`, …). */
  remember(fields: Fields): void;
  /** `fill` adds what changes all the time (frames, buffer, latency) to each heartbeat and change of state. */
  sample(fill: (fields: Fields) => void): void;
  /** Another source was loaded into the same player: the view ends, the next begins at its play. */
  source(url: string): void;
  /** Listens until the monitor is destroyed; hears all arguments (hls.js gives a name, then data). `types` is split at spaces. */
  listen(target: Emitter, types: string, heard: (...args: never[]) => void): void;
  /** Calls back every so many ms until the monitor is destroyed, or what it returns is called. */
  every(ms: number, call: () => void): () => void;
  /** Returns the same function, whose errors and rejections reach nobody but `onReport`. */
  guard<A extends unknown[], R = void>(call: (...args: A) => R): (...args: A) => R | undefined;
  /** The view's id, for CMCD's `sid`. */
  viewId(): string;
}

/**
 * Anything that takes listeners: elements, hls.js, dash.js, Video.js (`on`/`off`), Shaka. Whatever the
 * types of its events: `never` lets all of them in, the caller casts.
 */
export interface Emitter {
  addEventListener?(type: never, heard: never, options?: never): unknown;
  removeEventListener?(type: never, heard: never, options?: never): unknown;
  on?(type: never, heard: never, context?: never): unknown;
  off?(type: never, heard: never, context?: never): unknown;
}

/** Takes events and sees to it that they reach the server, once. */
export interface Transport {
  /** `urgent` events leave at once, with what waits. False = not taken: too many, too large. */
  put(event: WireEvent, urgent: boolean): boolean | void;
  /** `leaving`: the page may be gone in a moment, only a beacon is sure. */
  flush(leaving?: boolean): Promise<void>;
  /** Nothing more is sent; what is held is kept for the next visit, or forgotten. */
  close(forget?: boolean): void;
}
