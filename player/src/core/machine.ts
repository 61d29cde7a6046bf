/**
 * The state machine: what a player raises goes in, what is true of the view comes out.
 *
 * Players say `waiting`, `playing` and `seeking` too early, too late, or not at all. The playhead is
 * the only witness that cannot be wrong, so a start, a stall and a seek end when it moves, and a
 * stall begins when it stopped. Nothing here knows of the page: no clock, no timer, no element.
 *
 * Moments are ms of one monotonic clock, positions seconds of content.
 */

import type { Fields, State } from '../types.ts';
import type { Kind } from '../wire/event.ts';
import { ad } from './breaks.ts';
import { END_S, SIGNALS } from './signals.ts';

/** Hears the cleaned events, in order; `at` may lie in the past, `buffering` is on the machine's clock. */
export type Out = (kind: Kind, at: number, fields: Fields, position?: number) => void;

/** Hears each change of state, at the moment it was true from. */
export type Changed = (state: State, at: number) => void;

/** A playhead that stands shorter than this is no stall (player.md, rule 2). */
const STALL_MS = 250;
/** Near the end players wait a moment before they say `ended`. */
const STALL_AT_END_MS = 1_500;
/** A stall or seek is over when this much content has played on; less is a false recovery. */
const RECOVERY_S = 0.5;
/** A first frame needs less: nothing played that could have lingered. */
const FIRST_S = 0.25;
/** A playhead ahead of the clock by more than this jumped. The server's bounds. */
const AHEAD_FACTOR = 1.1;
const AHEAD_MS = 1_000;
const BACK_MS = 50;
/** Polls are never quite on time. */
const JITTER_MS = 50;
/** Between two polls this far apart nobody knows what happened. */
const SILENCE_MS = 30_000;
/** How long after an ad break the content may take to be resumed before it counts as paused. */
const RESUME_MS = 1_000;

/** What is over when the playhead moves again. */
const ENDS: { [state in State]?: Kind } = {
  rebuffering: 'BUFFER_END',
  seeking: 'SEEK_END',
  paused: 'PLAY',
  ended: 'PLAY',
};
/** Kinds whose position is no mere poll. */
const PLACES = /^(PLAY$|PAUSE|SEEK|ENDED|STOP|AD)/;

export class Machine {
  state: State = 'idle';
  /** The playback rate by which progress is judged. */
  rate = 1;
  /** Length of the content in seconds, where it has one. */
  end = Infinity;
  /** The page cannot be seen: a picture that stands is then no stall unless the player waits. */
  hidden = false;

  /** The last poll: where the playhead was and when. Not a number where it is not known. */
  _position = NaN;
  _polledAt = 0;
  /** Up to when the playhead is known to have moved; before `_polledAt`: it stands since. */
  _movedAt = 0;
  /** The playhead moves again since `_triedAt`, from `_triedFrom`: not yet far enough to believe. */
  _triedAt = NaN;
  _triedFrom = 0;
  /** Since when the state lasts. */
  _since = 0;
  /** Since when the viewer waits for the first frame; without an event that says so, unknown. */
  _intentAt = NaN;
  /** The wait for the first frame was more than waiting (a pause, hidden): its length is not told. */
  _mixed?: boolean;
  /** A frame was seen, of the content or of an ad. */
  _started?: boolean;
  _contentStarted?: boolean;
  /** The player said `waiting` last. */
  _waiting?: boolean;
  /** The content is held by its element: after the seek or the ad break it does not go on. */
  _held?: boolean;
  /** When the viewer went back to the begin of content that had ended: a replay, if it plays. */
  _rewoundAt = NaN;
  _inBreak?: boolean;
  _breakNamed?: boolean;
  _adRuns?: boolean;
  /** The break runs after the end of the content. */
  _over?: boolean;
  _out: Out;
  _changed: Changed | undefined;

  constructor(out: Out, changed?: Changed) {
    this._out = out;
    this._changed = changed;
  }

  /** Where the playhead stands at a moment not far from the last poll (s); unknown: not a number. */
  position(at: number): number {
    const moves = this.state === 'playing' && this._movedAt >= this._polledAt;
    return this._position + (moves ? (Math.min(at - this._polledAt, 1_000) * this.rate) / 1_000 : 0);
  }

  /** Takes where the playhead stands. Several times a second while it should move. */
  progress(at: number, position: number, rate?: number): void {
    if (rate && rate !== this.rate) this.take('RATE_CHANGE', at, position, { playbackRate: rate });
    else this._poll(at, position);
  }

  /**
   * Takes something the player raised. `position` is the playhead's; of `SEEK_START` where it goes
   * to. Kinds without a place in the machine come out as they went in.
   */
  take(kind: Kind, at: number, position: number = NaN, fields: Fields = {}): void {
    if (/^(stopped|aband)/.test(this.state)) return;
    if (!PLACES.test(kind)) this._poll(at, position);
    const signal = /^AD_(?!REQ|RESP)/.test(kind) ? ad : SIGNALS[kind];
    if (signal) signal(this, at, position, fields, kind);
    else this._emit(kind, at, fields);
  }

  /** Nothing is measured any more, until it plays again. */
  _isOver(): boolean {
    return /^(ended|failed)/.test(this.state);
  }

  _emit(kind: Kind, at: number, fields: Fields = {}, position?: number): void {
    // In a seek or an ad the playhead is not where the content plays.
    const here = this._inBreak || this.state === 'seeking' ? NaN : this.position(at);
    const place = position ?? here;
    this._out(kind, at, fields, place >= 0 ? place : undefined);
  }

  /** Says what happened, and what the view is in from then on. */
  _turn(kind: Kind, at: number, fields: Fields, state: State, position?: number): void {
    this._emit(kind, at, fields, position);
    this._go(state, at);
  }

  _go(state: State, at: number): void {
    if (state === this.state) return;
    this.state = state;
    this._since = at = Math.max(at, this._since);
    this._triedAt = NaN;
    if (state === 'playing') this._movedAt = this._polledAt = Math.max(at, this._polledAt);
    this._changed?.(state, at);
  }

  /** Takes the last position before something ends the playing; only who was seen standing stalls. */
  _arrive(at: number, position: number): void {
    const seen = this._waiting || this._movedAt < this._polledAt || this.state !== 'playing';
    if (seen) this._poll(at, position);
    else if (position >= 0) this._rebase(at, position);
  }

  /** The playhead jumped, and no event of the player says so: both ends are told. */
  _jump(at: number, position: number): void {
    const told = this.state === 'playing' && this._position >= 0;
    if (told) this._emit('HEARTBEAT', this._polledAt, {}, this._position);
    this._rebase(at, position);
    if (told) this._emit('HEARTBEAT', at, {}, position);
  }

  /** The playhead is here now, and nothing can be said of the way. */
  _rebase(at: number, position: number = NaN): void {
    this._movedAt = this._polledAt = at;
    this._triedAt = NaN;
    this._position = position;
  }

  _poll(at: number, position: number): void {
    const elapsed = at - this._polledAt;
    const moved = ((position - this._position) * 1_000) / this.rate;
    if (elapsed < 0 || !(position >= 0) || this._adRuns) return;
    if (!(moved <= elapsed * AHEAD_FACTOR + AHEAD_MS && moved >= -BACK_MS)) {
      // A loop, a jump of the player's own, or the first poll: neither progress nor a stall.
      const tried = this._triedAt >= 0;
      const left = this.state === 'rebuffering' && (tried || !this._waiting) && Math.abs(moved) > AHEAD_MS;
      if (left) this._recover(tried ? this._triedAt : this._polledAt, this._position);
      this._jump(at, position);
    } else if (this.state === 'playing' && !this._held) this._play(at, position, moved);
    else this._stand(at, position, moved);
  }

  /** A poll while the content should play: has it stopped? */
  _play(at: number, position: number, moved: number): void {
    const elapsed = at - this._polledAt;
    const stood = this._movedAt < this._polledAt;
    const lag = elapsed - moved;
    const plays = lag <= moved && lag <= Math.max(JITTER_MS, elapsed * (AHEAD_FACTOR - 1));
    // It moved first and then stopped; what it moves while it stands shortens the standing.
    if (!plays) this._movedAt += Math.max(0, moved);
    const until = plays ? this._polledAt : at;
    const least = this.end - position < END_S ? STALL_AT_END_MS : STALL_MS;
    const stalls = (stood || !plays) && until - this._movedAt >= least;
    const excused = elapsed >= SILENCE_MS || (this.hidden && !this._waiting);
    if (stalls && !excused) {
      this._stall(plays ? this._position : position);
      if (plays) return this._stand(at, position, moved);
    } else if (plays || excused) this._movedAt = at;
    this._polledAt = at;
    this._position = position;
  }

  _stall(position: number): void {
    const since = Math.max(this._movedAt, this._since);
    this._go('rebuffering', since);
    this._emit('BUFFER_START', since, { buffering: { startedAt: since } }, position);
  }

  /** A poll while nothing plays, as far as is known: does it move again? */
  _stand(at: number, position: number, moved: number): void {
    if (this.state === 'playing' && at - this._since >= RESUME_MS) {
      // After an ad break nobody resumed the content.
      this._turn('PAUSE', this._since, {}, 'paused', this._position);
    }
    if (!(this._triedAt >= 0)) {
      this._triedAt = Math.max(at - moved, this._polledAt);
      this._triedFrom = this._position;
    }
    const played = position - this._triedFrom;
    const enough = this.state === 'starting' && !this._inBreak ? FIRST_S : RECOVERY_S;
    if (played <= 0 || at - this._triedAt - (played * 1_000) / this.rate >= STALL_MS) {
      this._triedAt = NaN; // it stands, or it ran a little and stood again: a false recovery
    } else if (played >= enough) this._recover(this._triedAt, this._triedFrom);
    this._movedAt = this._polledAt = at;
    this._position = position;
  }

  /** The playhead moves since a moment: whatever it waited for is over. */
  _recover(at: number, position: number): void {
    const { state, _since: startedAt } = this;
    at = Math.max(at, startedAt);
    this._inBreak = this._waiting = this._held = this._over = false;
    const buffering = { startedAt, endedAt: at, durationMs: at - startedAt };
    this._frame(ENDS[state] ?? 'PLAYING', at, state === 'rebuffering' ? { buffering } : {}, position);
    this._contentStarted = true;
    this._go('playing', at);
  }

  /** A first frame, of an ad or of the content. */
  _frame(kind: Kind, at: number, fields: Fields, position?: number): void {
    const known = !this._mixed && !this._started && this._intentAt >= 0;
    this._started = true;
    this._emit(kind, at, known ? { ...fields, startupMs: Math.max(0, at - this._intentAt) } : fields, position);
  }

  _intend(at: number): void {
    if (!(this._intentAt >= 0)) this._intentAt = at;
    this._mixed ||= this.hidden;
  }
}
