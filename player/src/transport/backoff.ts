/** Whether, and how long, to wait before sending again: of every sender of ours. Times in ms. */

const RETRY_AFTER_MAX_MS = 3_600_000;

/** Whether a status says that the server is away or busy, and not what was sent is wrong; 0 = none came. */
export const isAway = (status: number): boolean => !status || status > 499 || status === 408 || status === 429;

/**
 * Returns what a `Retry-After` asks for (seconds, or a date; at most an hour), and a random wait up
 * to `baseMs * 2^failures`, at most `maxMs`: players that failed together do not come back together.
 */
export function waitMs(failures: number, baseMs: number, maxMs: number, retryAfter?: string | null): number {
  // A date is compared with a clock that may be wrong: the hour is the most it can do.
  const asked = +retryAfter! * 1e3 || Date.parse(retryAfter!) - Date.now();
  const jitter = Math.random() * Math.min(maxMs, baseMs * 2 ** failures);
  return Math.max(0, Math.min(RETRY_AFTER_MAX_MS, asked || 0)) + jitter;
}
