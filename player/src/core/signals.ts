/** What each signal of a player does to the machine. A signal is a hint: the playhead decides. */

import type { Fields } from '../types.ts';
import type { Kind } from '../wire/event.ts';
import type { Machine } from './machine.ts';

/** As near as this to an end or a begin of the content is there (s). */
export const END_S = 0.5;
/** A player that helps itself over a hole jumps no further, forward, in a stall. */
const NUDGE_S = 1.5;

/** `position` is not a number where the player told none. */
type Signal = (m: Machine, at: number, position: number, fields: Fields, kind: Kind) => void;

/** Play intent: a start, a resume, a replay, or another try after a failure. */
const play: Signal = (m, at, position, fields) => {
  const { state, rate } = m;
  m._held = false;
  if (state === 'seeking') m._emit('PLAY', at, fields);
  if (!/idle|failed|ended|paused/.test(state)) return;
  m._intend(at);
  m._rewoundAt = NaN;
  if (position >= 0) m._rebase(at, position);
  if (state === 'failed') m._mixed = true;
  const content = m._contentStarted && state !== 'failed' ? 'playing' : 'starting';
  m._emit('PLAY', at, rate === 1 ? fields : { ...fields, playbackRate: rate });
  m._go(m._inBreak && m._started ? 'ad' : content, at);
};

/** The player says that it plays: a hint, for it says so inside seeks and before it recovers. */
const playing: Signal = (m, at, position, fields, kind) => {
  m._waiting = false;
  if (m.state === 'ad_rebuffering') m._turn('BUFFER_END', at, {}, 'ad');
  if (kind === 'BUFFER_END') return;
  if (m.state === 'paused' && !m._inBreak) play(m, at, position, fields, kind);
  m._held = false;
};

/** The player waits: a hint, for it says so inside seeks and when it only changes its mind. */
const waiting: Signal = (m, at, position, fields, kind) => {
  if (m.state === 'idle') play(m, at, position, fields, kind);
  m._waiting = true;
  if (m.state === 'ad') m._turn(kind, at, {}, 'ad_rebuffering');
};

const pause: Signal = (m, at, position, fields, kind) => {
  m._held = true;
  if (m._inBreak && m._started) return; // the break's own pause
  if (m.state === 'seeking') m._emit(kind, at, fields);
  if (!/^(start|pl|reb)/.test(m.state)) return;
  m._arrive(at, position);
  if (m.state === 'starting') m._mixed = true;
  m._waiting = false;
  m._turn(kind, at, fields, 'paused');
};

/** A seek begins; `position` is where it goes to. */
const seekStart: Signal = (m, at, to, fields) => {
  const { state } = m;
  const from = m.position(at);
  const plays = state === 'playing';
  const stands = state === 'rebuffering' || (plays && m._waiting);
  const loops = plays && to < END_S && m.end - from < END_S;
  if (state === 'ended' && to < END_S) m._rewoundAt = at;
  else if (stands && to >= from && to - from <= NUDGE_S) {
    m._position = to; // the player helps itself over a hole: the stall goes on
    m._triedAt = NaN;
  } else if (/seeking|failed/.test(state) || !m._contentStarted || m._inBreak || loops) m._jump(at, to);
  else {
    m._waiting = false;
    m._turn('SEEK_START', at, fields, 'seeking');
    m._rebase(at, to);
    m._held = state === 'paused' || state === 'ended';
    if (state === 'ended') m._emit('PAUSE', at); // the end holds the player: it does not go on by itself
  }
};

const seekEnd: Signal = (m, at, position, fields, kind) => {
  if (m._rewoundAt >= 0) {
    seekStart(m, m._rewoundAt, NaN, fields, kind);
    m._rewoundAt = NaN;
  }
  if (m.state !== 'playing') m._rebase(at, position);
  else if (position >= 0) m._position = position;
  if (m.state === 'seeking' && m._held) m._turn(kind, at, fields, 'paused', position);
};

const ended: Signal = (m, at, position, fields, kind) => {
  if (m._adRuns || m._isOver()) return;
  m._arrive(at, position);
  if (!m._contentStarted) return;
  m._over = !!m._inBreak;
  m._turn(kind, at, fields, 'ended');
};

const error: Signal = (m, at, _, fields, kind) => {
  m._emit(kind, at, fields);
  if (!fields.error?.fatal || m.state === 'ended') return;
  m._intend(at);
  m._inBreak = m._adRuns = false;
  m._go('failed', at);
};

const stop: Signal = (m, at, position, fields, kind) => {
  const state = m._intentAt >= 0 && !m._started ? 'abandoned' : 'stopped';
  if (m._isOver() || m.state === 'idle') return;
  m._arrive(at, position);
  m._turn(kind, at, { ...fields, state }, state);
};

const rate: Signal = (m, at, _, fields, kind) => {
  const told = fields.playbackRate ?? 0;
  if (!(told > 0) || told === m.rate) return; // a rate of 0 is how some players wait
  m.rate = told;
  if (m.state !== 'idle') m._emit(kind, at, fields);
};

const visibility: Signal = (m, at, _, fields, kind) => {
  m.hidden = !!fields.hidden;
  if (m.state === 'starting') m._mixed = true;
  m._emit(kind, at, fields);
};

/** What each kind of signal does; kinds that are not here pass. */
export const SIGNALS: { [kind in Kind]?: Signal } = {
  PLAY: play,
  PLAYING: playing,
  BUFFER_START: waiting,
  BUFFER_END: playing,
  PAUSE: pause,
  SEEK_START: seekStart,
  SEEK_END: seekEnd,
  ENDED: ended,
  PLAYER_ERROR: error,
  STOP: stop,
  RATE_CHANGE: rate,
  VISIBILITY: visibility,
};
