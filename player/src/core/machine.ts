/**
 * The state machine: what a player raises goes in, what is true of the view comes out.
 *
 * Players say `waiting`, `playing` and `seeking` too early, too late, or not at all. The playhead is
 * the only witness that cannot be wrong, so a start, a stall and a seek end when it moves, and a
 * stall begins when it stopped. Nothing here knows of the page: no clock, no timer, no element.
 *
 * Moments are ms of one monotonic clock, positions seconds of content, `NaN` where nobody said one.
 */

import type { Fields, State } from '../types.ts';
import type { Kind } from '../wire/event.ts';
import type { Changed, Machine, Out, Signal, Stage } from './signal.ts';

/** A playhead that stands shorter than this is no stall (player.md, rule 2). */
const STALL_MS = 250;
/** Near the end players wait a moment before they say `ended`. */
const STALL_AT_END_MS = 1_500;
/** A stall or seek is over when this much content has played on; less is a false recovery. */
const RECOVERY_S = 0.5;
/** A first frame needs less: nothing played that could have lingered. */
const FIRST_S = 0.25;
/** As near as this to an end or a begin of the content is there. */
const END_S = 0.5;
/** A player that helps itself over a hole jumps no further, forward, in a stall. */
const NUDGE_S = 1.5;
/** A playhead ahead of the clock by more than this jumped. The server's bounds. */
const AHEAD_FACTOR = 1.1;
const BEHIND_FACTOR = 0.1;
const AHEAD_MS = 1_000;
const BACK_MS = 50;
/** Polls are never quite on time. */
const JITTER_MS = 50;
/** Between two polls this far apart nobody knows what happened. */
const SILENCE_MS = 30_000;
/** How long after an ad break the content may take to be resumed before it counts as paused. */
const RESUME_MS = 1_000;
/** Events that wait for a decision of the machine; more are not kept. */
const WAITING_MAX = 200;

/** What is over when the playhead moves again. */
const ENDS: { [state in State]?: Kind } = { rebuffering: 'BUFFER_END', seeking: 'SEEK_END', paused: 'PLAY', ended: 'PLAY' };
/** Kinds whose position is no mere poll. */
const PLACES = /^(PLAY$|PAUSE|SEEK|ENDED|STOP|AD)/;

/** Makes the machine of one view. */
export function createMachine(stage: Stage, out: Out, changed: Changed): Machine {
  let state: State = 'idle';
  let since = 0; // since when the state lasts
  let position = NaN; // of the last poll, and when that was
  let polledAt = 0;
  let movedAt = 0; // up to when the playhead is known to have moved; before `polledAt`: it stands since
  let triedAt: number | undefined; // it moves again since then, not yet far enough to believe
  let triedFrom = 0;
  let intentAt: number | undefined; // since when the viewer waits for the first frame, if anybody knows
  let mixed = false; // that wait was more than waiting (a pause, hidden): its length is not told
  let started = false; // a frame was seen, of the content or of an ad
  let contentStarted = false;
  let waiting = false; // the player said `waiting` last
  let held = false; // the element holds the content: after the seek or the ad break it does not go on
  let rewoundAt: number | undefined; // the viewer went back after the end: a replay, if it plays
  let inBreak = false;
  let breakNamed = false; // somebody said where the break begins, and will say where it ends
  let adRuns = false;
  let over = false; // the break runs after the end of the content
  const queue: Parameters<Out>[] = []; // waits for play intent, or while a moment before it may yet be told
  const is = (one: State, other?: State): boolean => state === one || state === other;
  const isOver = (): boolean => is('ended', 'failed');
  const moves = (): boolean => is('playing') && movedAt >= polledAt; // as far as anybody saw
  function here(at: number): number {
    // In a seek or an ad the playhead is not where the content plays.
    const way = moves() ? (Math.min(at - polledAt, 1_000) * stage._rate) / 1_000 : 0;
    return inBreak || is('seeking') ? NaN : position + way;
  }

  /** Lets go of what waited and happened until then. */
  function release(until: number): void {
    while (queue[0] && queue[0][1] <= until) out(...queue.shift()!);
  }

  function emit(kind: Kind, at: number, fields: Fields = {}, place = here(at)): void {
    release(at);
    out(kind, at, fields, place);
  }

  /** Says what happened, and what the view is in from then on. */
  function turn(next: State, kind: Kind, at: number, fields?: Fields, place?: number): void {
    emit(kind, at, fields, place);
    go(next, at);
  }

  function go(next: State, at: number): void {
    if (is(next)) return;
    state = next;
    since = at = Math.max(Math.round(at), since);
    triedAt = undefined;
    if (is('playing')) movedAt = polledAt = Math.max(at, polledAt);
    changed(state, at);
    release(Infinity);
  }

  /** The playhead is here now, and nothing can be said of the way. */
  function rebase(at: number, place = NaN): void {
    movedAt = polledAt = at;
    triedAt = undefined;
    position = place;
  }

  /** The playhead jumped, and no event of the player says so: both ends are told. */
  function jump(at: number, place: number): void {
    const told = is('playing') && position >= 0;
    if (told) emit('HEARTBEAT', movedAt);
    rebase(at, place);
    if (told) emit('HEARTBEAT', at);
  }

  /** A first frame, of an ad or of the content. */
  function frame(kind: Kind, at: number, fields: Fields, place?: number): void {
    const isKnown = !mixed && !started && intentAt! >= 0;
    started = true;
    emit(kind, at, isKnown ? { ...fields, startupMs: Math.max(0, at - intentAt!) } : fields, place);
  }

  function intend(at: number): void {
    intentAt ??= at;
    mixed ||= stage._hidden;
  }

  /** Returns what takes where the playhead stands. */
  function watch(): (at: number, place: number) => void {
    function poll(at: number, place: number): void {
      const elapsed = at - polledAt;
      const moved = ((place - position) * 1_000) / stage._rate;
      if (elapsed < 0 || !(place >= 0) || adRuns) return;
      if (!(moved <= elapsed * AHEAD_FACTOR + AHEAD_MS && moved >= -BACK_MS)) {
        // A loop, a jump of the player's own, or the first poll: neither progress nor a stall.
        const left = is('rebuffering') && (triedAt! >= 0 || !waiting) && Math.abs(moved) > AHEAD_MS;
        if (left) recover(triedAt ?? polledAt, position);
        jump(at, place);
        return;
      }
      if (!is('playing') || held || !play(at, place, moved)) stand(at, place, moved);
      polledAt = at;
      position = place;
    }

    /** A poll while the content should play: returns whether it does, as far as is known. */
    function play(at: number, place: number, moved: number): boolean {
      const elapsed = at - polledAt;
      const stood = movedAt < polledAt;
      const lag = elapsed - moved;
      const plays = lag <= moved && lag <= Math.max(JITTER_MS, elapsed * BEHIND_FACTOR);
      // It moved first and then stopped; what it moves while it stands shortens the standing.
      if (!plays) movedAt += Math.max(0, moved);
      const until = plays ? polledAt : at;
      const least = stage._end - place < END_S ? STALL_AT_END_MS : STALL_MS;
      const stalls = (stood || !plays) && until - movedAt >= least;
      const excused = elapsed >= SILENCE_MS || (stage._hidden && !waiting);
      if (stalls && !excused) {
        const startedAt = Math.max(Math.round(movedAt), since);
        turn('rebuffering', 'BUFFER_START', startedAt, { buffering: { startedAt } }, plays ? position : place);
        return !plays;
      }
      if (plays || excused) movedAt = at;
      return true;
    }

    /** A poll while nothing plays, as far as is known: does it move again? */
    function stand(at: number, place: number, moved: number): void {
      // After an ad break nobody resumed the content.
      if (is('playing') && at - since >= RESUME_MS) turn('paused', 'PAUSE', since, {}, position);
      if (triedAt === undefined) {
        triedAt = Math.max(at - moved, polledAt);
        triedFrom = position;
      }
      const played = place - triedFrom;
      const enough = is('starting') && !inBreak ? FIRST_S : RECOVERY_S;
      const from = at - (played * 1_000) / stage._rate; // when it began, had it moved evenly
      if (played <= 0 || from - triedAt >= STALL_MS) {
        triedAt = undefined; // it stands, or it ran a little and stood again: a false recovery
      } else if (played >= enough) recover(Math.max(from, triedAt), triedFrom);
      movedAt = at;
    }

    /** The playhead moves since a moment: whatever it waited for is over. */
    function recover(at: number, place: number): void {
      const startedAt = since;
      at = Math.max(Math.round(at), since);
      inBreak = waiting = held = over = false;
      const buffering = { startedAt, endedAt: at, durationMs: at - startedAt };
      frame(ENDS[state] ?? 'PLAYING', at, is('rebuffering') ? { buffering } : {}, place);
      contentStarted = true;
      go('playing', at);
    }

    return poll;
  }

  /** Takes the last position before something ends the playing; only who was seen standing stalls. */
  function arrive(at: number, place: number): void {
    if (waiting || !moves()) poll(at, place);
    else if (place >= 0) rebase(at, place);
  }

  /** Returns what each kind of signal does. */
  function listen(): { [kind in Kind]?: Signal } & { AD_: Signal } {
    /** Play intent: a start, a resume, a replay, or another try after a failure. */
    const intent: Signal = (at, place, fields) => {
      held = false;
      if (is('seeking')) emit('PLAY', at, fields);
      if (!is('idle', 'paused') && !isOver()) return;
      intend(at);
      rewoundAt = undefined;
      if (place >= 0) rebase(at, place);
      const failed = is('failed');
      mixed ||= failed;
      emit('PLAY', at, stage._rate === 1 ? fields : { ...fields, playbackRate: stage._rate });
      go(inBreak && started ? 'ad' : contentStarted && !failed ? 'playing' : 'starting', at);
    };

    /** The player says that it plays: a hint, for it says so inside seeks and before it recovers. */
    const playing: Signal = (at, place, fields, kind) => {
      waiting = false;
      if (is('ad_rebuffering')) turn('ad', 'BUFFER_END', at);
      if (kind === 'BUFFER_END') return;
      if (is('paused') && !inBreak) intent(at, place, fields, kind);
      held = false;
    };

    /** The player waits: a hint, for it says so inside seeks and when it only changes its mind. */
    const waits: Signal = (at, place, fields, kind) => {
      if (is('idle')) intent(at, place, fields, kind);
      waiting = true;
      if (is('ad')) turn('ad_rebuffering', kind, at);
    };

    const pause: Signal = (at, place, fields, kind) => {
      held = true;
      if (inBreak && started) return; // the break's own pause
      if (is('seeking')) emit(kind, at, fields);
      if (!is('starting', 'playing') && !is('rebuffering')) return;
      arrive(at, place);
      mixed ||= is('starting');
      waiting = false;
      turn('paused', kind, at, fields);
    };

    /** A seek begins; `to` is where it goes to. */
    const seekStart: Signal = (at, to, fields) => {
      const from = here(at);
      const plays = is('playing');
      const ended = is('ended');
      if (ended && to < END_S) rewoundAt = at;
      else if ((is('rebuffering') || (plays && waiting)) && to >= from && to - from <= NUDGE_S) {
        position = to; // the player helps itself over a hole: the stall goes on
        triedAt = undefined;
      } else if (
        is('seeking', 'failed') || !contentStarted || inBreak ||
        (is('playing', 'rebuffering') && to < END_S && stage._end - from < END_S) // a loop
      ) { // prettier-ignore
        // Who loops played on to the end, which no poll saw.
        if (moves()) rebase(at, Math.min(from, stage._end));
        jump(at, to);
      } else {
        waiting = false;
        held = is('paused', 'ended');
        turn('seeking', 'SEEK_START', at, fields);
        rebase(at, to);
        if (ended) emit('PAUSE', at); // the end holds the player: it does not go on by itself
      }
    };

    const seekEnd: Signal = (at, place, fields, kind) => {
      if (rewoundAt! >= 0) {
        seekStart(rewoundAt!, NaN, fields, kind);
        rewoundAt = undefined;
      }
      if (!is('playing')) rebase(at, place);
      else if (place >= 0) position = place;
      if (is('seeking') && held) turn('paused', kind, at, fields, place);
    };

    const ended: Signal = (at, place, fields, kind) => {
      if (adRuns || isOver()) return;
      arrive(at, place);
      if (!contentStarted) return;
      over = inBreak;
      turn('ended', kind, at, fields);
    };

    const error: Signal = (at, _, fields, kind) => {
      emit(kind, at, fields);
      if (!fields.error?.fatal || is('ended')) return;
      intend(at);
      inBreak = adRuns = false;
      go('failed', at);
    };

    const stop: Signal = (at, place, fields, kind) => {
      if (isOver() || is('idle')) return;
      const last = intentAt! >= 0 && !started ? 'abandoned' : 'stopped';
      arrive(at, place);
      turn(last, kind, at, { ...fields, state: last });
    };

    const rate: Signal = (at, _, fields, kind) => {
      const told = fields.playbackRate!;
      if (!(told > 0) || told === stage._rate) return; // a rate of 0 is how some players wait
      stage._rate = told;
      if (!is('idle')) emit(kind, at, fields);
    };

    const visibility: Signal = (at, _, fields, kind) => {
      stage._hidden = !!fields.hidden;
      mixed ||= is('starting');
      emit(kind, at, fields);
    };

    /** Ad breaks: the content's clock stands in them, and their stalls are their own. */
    const ad: Signal = (at, place, fields, kind) => {
      const ran = adRuns;
      const begins = kind === 'AD_BREAK_START';
      const ends = kind === 'AD_BREAK_END';
      const pauses = kind === 'AD_PAUSE';
      const runs = !/_(END|SKIP|ERROR|PAUSE|BREAK_START)$/.test(kind);
      const ended = ran && !(runs || begins || ends || pauses);
      if (begins) arrive(at, place);
      if (!inBreak && !is('failed') && (runs || begins)) {
        over = is('ended');
        intend(at);
        inBreak = true;
        breakNamed = begins;
        waiting = false;
        go(started ? 'ad' : 'starting', at);
      }
      adRuns = runs || (ran && pauses);
      (runs ? frame : emit)(kind, at, fields);
      if (!inBreak) return;
      if (ends || (ended && !breakNamed)) {
        inBreak = adRuns = false;
        rebase(at);
        go(over ? 'ended' : contentStarted ? 'playing' : 'starting', at);
      } else if (runs || ended) go('ad', at);
      else if (pauses) go('paused', at);
    };

    return {
      PLAY: intent,
      PLAYING: playing,
      BUFFER_START: waits,
      BUFFER_END: playing,
      PAUSE: pause,
      SEEK_START: seekStart,
      SEEK_END: seekEnd,
      ENDED: ended,
      PLAYER_ERROR: error,
      STOP: stop,
      RATE_CHANGE: rate,
      VISIBILITY: visibility,
      AD_: ad,
    };
  }

  const poll = watch();
  const signals = listen();
  return (kind, at, place = NaN, fields = {}) => {
    if (is('stopped', 'abandoned')) return;
    if (!PLACES.test(kind)) poll(at, place);
    const signal = signals[/^AD_(?!REQ|RESP)/.test(kind) ? 'AD_' : kind];
    if (signal) signal(at, place, fields, kind);
    else if (!is('idle') && triedAt === undefined) emit(kind, at, fields);
    else if (queue.length < WAITING_MAX) queue.push([kind, at, fields, here(at)]);
  };
}
