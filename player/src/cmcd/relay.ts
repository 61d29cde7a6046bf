/**
 * Stands between a player's CMCD reporter and the server. The player's records pass through and are
 * put right: players tell states too early, too late or not at all, none tells where the playhead is,
 * and their session does not follow ours. What no player reports is added as records of our own.
 */

import { createOutbox, type Outbox } from './outbox.ts';
import type { Settled } from './options.ts';
import { lineOf, quoted, recordOf, type CmcdRecord } from './record.ts';

/** What the records of one player go through. */
export interface Relay {
  /** Takes a body of the player's: its records, one a line. */
  take(body: string): void;
  /** Watches the element that plays; the one before is let go. */
  watch(video: HTMLMediaElement | null): void;
  /** Another source begins: the session is a new one, unless the page or the SDK names it. */
  source(): void;
  /** The player's own word for what it is in (`sta`), where its reporter does not say it. */
  tell(state: string): void;
  /** The rendition that the player says is on screen, in kbit/s. */
  shows(kbps: number | undefined): void;
  /** What went wrong, in the player's own words; `fatal` unknown: the player's state will tell. */
  fault(code: string, fatal: boolean | undefined): void;
  /** Says that the player is gone, and lets go. */
  close(): void;
}

/** `sta` before the first picture, where the player says something else. */
const NOT_YET = new Set(['s', 'w', 'r', 'k']);
const NUDGE_S = 0.5;
const SAID_BY_ALL = ['cid', 'sf', 'st', 'v'];

/** A rendition of the manifest: its height in pixels, its bitrate in kbit/s. */
export interface Rendition {
  height?: number | null | undefined;
  kbps: number;
}

/** Makes the relay of one player, which says what renditions there are. */
export function createRelay(settled: Settled, renditions: () => readonly Rendition[]): Relay {
  return new SessionRelay(settled, createOutbox(settled.target, settled.heard), renditions);
}

class SessionRelay implements Relay {
  private readonly _settled: Settled;
  private readonly _outbox: Outbox;
  private readonly _renditions: () => readonly Rendition[];
  private _video: HTMLMediaElement | null = null;
  private _drop: (() => void)[] = [];
  private _sid = '';
  private _sn = 0;
  /** What the player is in, as far as it can be believed; '' before it said anything. */
  private _state = '';
  /** Somebody wants to see it: play was pressed, or the element plays by itself. */
  private _wanted = false;
  private _started = false;
  private _shown = 0;
  private _told = 0;
  private _sources = 0;
  /** Where the playhead stood as the last stall began, in seconds. */
  private _stoodAt = 0;
  private _code = '';
  /** A failure was told, with its code. */
  private _failed = false;
  private _harmless = false;
  /** Members that records of our own repeat from the player's last one. */
  private _common: CmcdRecord = new Map();

  constructor(settled: Settled, outbox: Outbox, renditions: () => readonly Rendition[]) {
    this._settled = settled;
    this._outbox = outbox;
    this._renditions = renditions;
    if (typeof document === 'undefined') return;
    this._listen(document, 'visibilitychange', () => this._say('b'));
    this._listen(window, 'pagehide', () => this._say('ps', 'q'));
  }

  take(body: string): void {
    for (const line of body.split('\n')) {
      if (line.trim()) this._pass(recordOf(line));
    }
  }

  watch(video: HTMLMediaElement | null): void {
    if (video === this._video) return;
    this._drop.splice(2).forEach((drop) => drop());
    this._video = video;
    if (!video) return;
    this._listen(video, 'play', () => this._intent());
    this._listen(video, 'resize', () => this._look());
    this._listen(video, 'playing', () => this._look());
    this._listen(video, 'seeked', () => {
      if (video.paused && this._state === 'k') this._say('ps', 'a');
    });
  }

  source(): void {
    if (this._sources++) this._settled.sid(true);
    this._begin();
    if (this._video?.autoplay) this._wanted = true;
  }

  tell(word: string): void {
    this._begin();
    const state = this._believed(word);
    if (state && state !== this._state) this._say('ps', state);
  }

  shows(kbps: number | undefined): void {
    this._told = Math.round(kbps || 0);
    this._look();
  }

  fault(code: string, fatal: boolean | undefined): void {
    this._code = code;
    this._harmless = fatal === false;
    if (fatal && this._state !== 'f') this._say('ps', 'f');
  }

  close(): void {
    if (this._state && this._state !== 'q') this._say('ps', 'q');
    this._drop.splice(0).forEach((drop) => drop());
    this._outbox.close();
  }

  private _listen(target: EventTarget, type: string, heard: () => void): void {
    const safe = (): void => {
      try {
        heard();
      } catch (error) {
        this._settled.heard(`CMCD stumbled: ${error}`); // the page never sees an error of ours
      }
    };
    target.addEventListener(type, safe);
    this._drop.push(() => target.removeEventListener(type, safe));
  }

  /** Looks what is on screen: the picture's height tells, where no two renditions share it. */
  private _look(): void {
    const height = (this._video as HTMLVideoElement | null)?.videoHeight;
    const fitting = this._renditions().filter((one) => height && one.height === height);
    const seen = fitting.length === 1 ? Math.round(fitting[0]!.kbps) : this._told;
    if (!seen || seen === this._shown) return;
    this._shown = seen;
    if (this._state) this._say('bc');
  }

  /** Begins a session where its id has changed: numbers and states start anew. */
  private _begin(): void {
    const sid = this._settled.sid();
    if (sid === this._sid) return;
    const video = this._video;
    this._sid = sid;
    this._sn = 0;
    this._state = '';
    this._started = false;
    this._shown = this._told = 0;
    this._code = '';
    this._failed = this._harmless = false;
    this._wanted = !!video && (video.autoplay || !video.paused);
  }

  private _intent(): void {
    this._begin();
    this._wanted = true;
    if (!this._started && this._state !== 's') this._say('ps', 's');
  }

  /** Passes a record of the player's on, put right. */
  private _pass(record: CmcdRecord): void {
    this._begin();
    const event = record.get('e');
    if (event === 'ps') {
      const state = this._believed(record.get('sta') || '');
      if (!state || state === this._state) return;
      this._enter(state);
    } else if (event === 'bc') {
      this._keep(record);
      return; // it tells what is fetched; `shows` tells what is seen
    } else if (event === 'b') {
      return; // said by ourselves, for the players that do not
    }
    if (event === 'e' && this._state === 'f' && this._failed) return; // told with the state
    record.delete('msd'); // the time since loading, in dash.js and Shaka: no viewer waited for that
    if (event !== 'e') record.delete('ec'); // dash.js repeats an error's code for ever after
    else if (this._code && !record.get('ec')) record.set('ec', this._codes());
    this._keep(record);
    this._send(record, event || 't');
  }

  /** Returns the state that a player's word means; '' where it means none. */
  private _believed(state: string): string {
    if (state === 'f') return this._harmless ? '' : 'f';
    if (state === 'a' && this._video?.ended) return 'e';
    // Players say that they play once they could, and in the middle of a seek.
    if (state === 'p' && (this._video?.paused || this._video?.seeking)) return '';
    if (state === 'a' && !this._wanted) return this._state ? '' : 'd';
    if (this._started) {
      // Out of a stall players nudge the playhead: no seek of the viewer's.
      if (state === 'k' && this._state === 'r' && Math.abs(this._position() - this._stoodAt) < NUDGE_S) return 'r';
      if (state === 's') return this._state === 'e' ? '' : this._state;
      return this._state === 'k' && (state === 'r' || state === 'w') ? 'k' : state;
    }
    if (!NOT_YET.has(state)) return state;
    if (this._video && !this._video.paused) this._wanted = true;
    return this._wanted ? 's' : 'd';
  }

  private _enter(state: string): void {
    this._state = state;
    if (state === 'p') this._started = this._wanted = true;
    if (state === 'r') this._stoodAt = this._position();
  }

  private _keep(record: CmcdRecord): void {
    for (const key of SAID_BY_ALL) {
      const value = record.get(key);
      if (value) this._common.set(key, value);
    }
  }

  /** Says something of our own. */
  private _say(event: string, state?: string): void {
    this._begin();
    if (!this._state && !state) return;
    if (!this._settled.events.includes(event as never)) return;
    if (state) this._enter(state);
    const record: CmcdRecord = new Map(this._common);
    record.set('e', event).set('ts', `${Date.now()}`).set('v', '2');
    if (state === 'f' && this._code) record.set('ec', this._codes());
    if (event === 'bc') record.set('br', `(${this._shown})`);
    if (event === 'b' && !document.hidden) record.set('bg', '?0');
    this._send(record, event);
  }

  private _position(): number {
    return this._video?.currentTime || 0;
  }

  private _codes(): string {
    this._failed = this._state === 'f';
    return `(${quoted(this._code)})`;
  }

  private _send(record: CmcdRecord, event: string): void {
    const video = this._video;
    const cid = this._settled.contentId();
    if (cid) record.set('cid', quoted(cid.slice(0, 128)));
    record.set('sid', quoted(this._sid)).set('sn', `${this._sn++}`);
    if (this._state) record.set('sta', this._state);
    else record.delete('sta');
    if (this._shown) record.set('pb', `(${this._shown})`);
    if (typeof document !== 'undefined' && document.hidden) record.set('bg', '');
    if (video && event !== 'rr') {
      // A response is told with the time of its request: the playhead was elsewhere then.
      record.set('pt', `${Math.max(0, Math.round(this._position() * 1000))}`);
      if (video.playbackRate !== 1 && video.playbackRate > 0) record.set('pr', `${video.playbackRate}`);
    }
    this._outbox.put(lineOf(record));
  }
}
