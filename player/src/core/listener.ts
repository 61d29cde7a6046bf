/** Everything a monitor listens to, and how it lets go of it all. */

import type { Emitter } from '../types.ts';
import type { Guard } from './guard.ts';

type Plain = { [way in keyof Emitter]?: (type: string, heard: (...args: never[]) => void) => void };

/** Listeners and timers that are let go of together. */
export interface Listener {
  listen(target: Emitter, type: string, heard: (...args: never[]) => void): void;
  /** Returns how to stop it. */
  every(ms: number, call: () => void): () => void;
  release(): void;
}

/** Returns a listener whose callbacks are guarded. */
export function listener(guard: Guard): Listener {
  const undo: (() => void)[] = [];
  return {
    listen(target, type, heard) {
      const safe = guard(heard);
      const emitter = target as Plain;
      // An emitter has one of two habits.
      const [on, off] = emitter.addEventListener
        ? (['addEventListener', 'removeEventListener'] as const)
        : (['on', 'off'] as const);
      emitter[on]?.(type, safe);
      undo.push(() => emitter[off]?.(type, safe));
    },
    every(ms, call) {
      const timer = setInterval(guard(call), ms);
      const stop = (): void => clearInterval(timer);
      undo.push(stop);
      return stop;
    },
    release() {
      undo.forEach((call) => guard(call)());
    },
  };
}
