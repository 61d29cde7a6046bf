/** Errors of ours end here: the page never sees one. */

import type { Report } from '../types.ts';

/** Makes functions whose errors reach nobody but the report. */
export type Guard = <A extends unknown[], R>(call: (...args: A) => R) => (...args: A) => R | undefined;

/** Returns the guard that tells one report. */
export function guardWith(report: (report: Report) => void): Guard {
  return (call) =>
    (...args) => {
      try {
        return call(...args);
      } catch (error) {
        report({ at: Date.now(), what: 'fault', text: `${error}` });
      }
      return undefined;
    };
}

/** Returns a report that the page hears, and whose own errors go nowhere. */
export function reportTo(heard: ((report: Report) => void) | undefined): (report: Report) => void {
  return (report) => {
    try {
      heard?.(report);
    } catch {
      // the page's own mistake, in a callback it gave us: there is nobody left to tell
    }
  };
}
