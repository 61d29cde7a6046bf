/** Everything a monitor listens to, and how it lets go of it all. */

import type { Emitter } from '../types.ts';
import type { Guard } from './guard.ts';

type Way = ((type: string, heard: (...args: never[]) => void) => void) | undefined;

/** Listeners and timers that are let go of together. */
export interface Listener {
  listen(target: Emitter, types: string, heard: (...args: never[]) => void): void;
  /** Returns how to stop it. */
  every(ms: number, call: () => void): () => void;
  /** How to let go of each. */
  _undo: (() => void)[];
}

/** Returns a listener whose callbacks are guarded. */
export function listener(guard: Guard): Listener {
  const undo: (() => void)[] = [];
  return {
    listen(target, types, heard) {
      const safe = guard(heard);
      for (const type of types.split(' ')) {
        // An emitter has one of two habits.
        ((target.addEventListener ?? target.on) as Way)?.call(target, type, safe);
        undo.push(() => ((target.removeEventListener ?? target.off) as Way)?.call(target, type, safe));
      }
    },
    every(ms, call) {
      const timer = setInterval(guard(call), ms);
      const stop = (): void => clearInterval(timer);
      undo.push(stop);
      return stop;
    },
    _undo: undo,
  };
}
