/** What goes into the machine, and what comes out. Moments are ms of one monotonic clock, positions seconds. */

import type { Fields, State } from '../types.ts';
import type { Kind } from '../wire/event.ts';

/** Hears the cleaned events, in order; `at` may lie in the past, `buffering` is on the machine's clock. */
export type Out = (kind: Kind, at: number, fields: Fields, position?: number) => void;

/** Hears each change of state, at the moment it was true from. */
export type Changed = (state: State, at: number) => void;

/**
 * Takes something the player raised. `place` is where the playhead stands; of `SEEK_START` where it
 * goes to. `RATE_CHANGE` is how a poll is told, several times a second while it should move: the rate
 * is news only when it is another. Kinds without a place in the machine come out as they went in.
 */
export type Machine = (kind: Kind, at: number, place?: number, fields?: Fields) => void;

/** What machines know of the player and its page; it outlives them. */
export interface Stage {
  /** The playback rate by which progress is judged. */
  _rate: number;
  /** Length of the content in seconds, where it has one. */
  _end: number;
  /** The page cannot be seen: a picture that stands is then no stall unless the player waits. */
  _hidden: boolean;
}

/** What a signal of the player does. */
export type Signal = (at: number, place: number, fields: Fields, kind: Kind) => void;
