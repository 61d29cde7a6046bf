/** Errors of ours end here: the page never sees one. */

import type { Report } from '../types.ts';
import type { WireEvent } from '../wire/event.ts';

/** Tells what happened; `answer` is what the server said, where it is about that. */
export type Tell = (
  what: Report['what'],
  text: string,
  events?: WireEvent[],
  answer?: { status: number; body: string },
) => void;

/** Makes functions whose errors reach nobody but the report. */
export type Guard = <A extends unknown[], R>(call: (...args: A) => R) => (...args: A) => R | undefined;

/** Returns the guard that tells one report; of what is asynchronous it hears the rejection. */
export function guardWith(tell: Tell): Guard {
  const fault = (error: unknown): undefined => void tell('fault', `${error}`);
  return (call) =>
    (...args) => {
      try {
        const made = call(...args);
        return (made instanceof Promise ? made.catch(fault) : made) as typeof made;
      } catch (error) {
        return fault(error);
      }
    };
}

/**
 * Returns a report that the page hears, and whose own errors go nowhere. Where nobody listens, the
 * console is told of faults: a page without an endpoint or an element would else never know.
 */
export function reportTo(heard: ((report: Report) => void) | undefined): Tell {
  return (what, text, events = [], answer) => {
    try {
      if (!heard && what === 'fault') console.warn('Playhead:', text);
      heard?.({ at: Date.now(), what, text, events, ...answer });
    } catch {
      // the page's own mistake, in a callback it gave us: there is nobody left to tell
    }
  };
}
