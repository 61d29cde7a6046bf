/** Plays a view vector into the machine, and returns what a player would send. */

import { createMachine } from '../../src/core/machine.ts';
import type { Machine, Stage } from '../../src/core/signal.ts';
import { type Counts, Tally } from '../../src/core/tally.ts';
import { createView } from '../../src/core/view.ts';
import type { Fields } from '../../src/types.ts';
import type { Kind, WireEvent } from '../../src/wire/event.ts';

/** Times of vectors below this are relative to `BASE`. */
const RELATIVE_BELOW = 100_000_000_000;
const BASE = 1_790_000_000_000;
/** A poll this long after a `waiting` finds the playhead where it was. */
const POLL_MS = 300;
const OF_THE_VIEW = new Set(['eventType', 'timestamp', 'playbackPositionSec', 'viewId', 'seq', 'sentAt',
  'monotonicMs', 'receivedAt', 'door', 'context', 'buffering', 'startupMs', 'state']); // prettier-ignore

/** A poll, a signal of the player, or polls in a row (`rate`: seconds of content a second). */
export type Signal =
  | [at: number, position: number, rate?: number]
  | [at: number, kind: Kind, position?: number | null, fields?: Fields]
  | { from: number; to: number; every: number; position: number; rate?: number };

/** What the vector files hold, as far as it is needed here. */
export interface Vector {
  name: string;
  common?: Partial<WireEvent>;
  events?: (WireEvent & { receivedAt?: number })[];
  signals?: Signal[];
  duration_s?: number;
  as_of: number;
  expect?: { sent?: unknown[][]; views?: Record<string, unknown>[] };
}

/** What came of a vector. */
export interface Played {
  events: WireEvent[];
  tally: Counts;
  /** The same, counted from the events alone. */
  followed: Counts;
}

/** Play one vector into a fresh machine. */
export function replay(vector: Vector): Played {
  const view = createView();
  const stage: Stage = { _rate: 1, _end: vector.duration_s ?? Infinity, _hidden: false };
  const tally = new Tally();
  const events: WireEvent[] = [];
  const untold: Fields = {};
  const machine = createMachine(
    stage,
    (kind, at, told, position) => {
      const fields = { ...untold, ...told };
      for (const key of Object.keys(untold)) delete untold[key as keyof Fields];
      tally.out(kind, at, fields);
      const event = view._event(kind, at, fields, position, BASE);
      view._seq++;
      events.push({ ...vector.common, ...event, viewId: 'v1' });
    },
    (state, at) => tally.changed(state, at),
  );
  if (vector.signals) raise(machine, vector.signals);
  else raiseWire(machine, stage, vector, untold);
  const follower = new Tally();
  events.forEach((event) => follower.follow(event));
  const begun = (events[0]?.timestamp ?? BASE) - BASE;
  const asOf = relative(vector.as_of);
  return { events, tally: tally.at(asOf), followed: follower.at(asOf - begun) };
}

function relative(at: number): number {
  return at >= RELATIVE_BELOW ? at - BASE : at;
}

function poll(machine: Machine, at: number, position: number, playbackRate?: number): void {
  machine('RATE_CHANGE', at, position, { ...(playbackRate && { playbackRate }) });
}

function raise(machine: Machine, signals: Signal[]): void {
  for (const signal of signals) {
    if (!Array.isArray(signal)) {
      const { from, to, every, position, rate = 1 } = signal;
      for (let at = from; at <= to; at += every) {
        poll(machine, at, position + ((at - from) * rate) / 1_000);
      }
    } else if (typeof signal[1] === 'number') poll(machine, signal[0], signal[1], signal[2] as number);
    else machine(signal[1], signal[0], signal[2] ?? undefined, (signal[3] as Fields) ?? {});
  }
}

/** Wire events as signals: what they say of the playhead is a poll, what they say of stalls a hint. */
function raiseWire(machine: Machine, stage: Stage, vector: Vector, untold: Fields): void {
  const events = vector.events ?? [];
  let plays = false;
  let last: [at: number, position: number] = [0, NaN];
  events.forEach((raw, index) => {
    const wire = { ...vector.common, ...raw };
    const at = relative(wire.timestamp);
    const kind = wire.eventType;
    let position = wire.playbackPositionSec;
    if (wire.hidden !== undefined && kind !== 'VISIBILITY') stage._hidden = wire.hidden;
    if (wire.playbackRate && kind !== 'RATE_CHANGE') poll(machine, at, position ?? NaN, wire.playbackRate);
    // A player polls until the break; the wire need not say where it begins.
    if (/^AD_(BREAK_)?START/.test(kind) && plays && position === undefined) {
      poll(machine, at, last[1] + (at - last[0]) / 1_000);
    }
    if (position !== undefined) last = [at, position];
    plays = /^(PLAYING|BUFFER_END)/.test(kind) || (plays && !/^(PAUSE|BUFFER|AD|SEEK)/.test(kind));
    // The wire tells where a seek comes from, a player where it goes to.
    if (kind === 'SEEK_START' && position !== undefined) {
      poll(machine, at, position);
      position = undefined;
    }
    const fields = fieldsOf(wire);
    // The monitor does so: what comes with a hint goes out with the next event.
    if (/^(PLAYING|BUFFER)/.test(kind)) Object.assign(untold, fields);
    machine(kind, at, position, fields);
    const next = events[index + 1];
    const polled = Math.min(at + POLL_MS, next ? relative(next.timestamp) : relative(vector.as_of));
    if (kind === 'BUFFER_START' && position !== undefined && polled - at >= POLL_MS) poll(machine, polled, position);
  });
}

function fieldsOf(wire: WireEvent): Fields {
  const entries = Object.entries(wire).filter(([key]) => !OF_THE_VIEW.has(key));
  return Object.fromEntries(entries) as Fields;
}
