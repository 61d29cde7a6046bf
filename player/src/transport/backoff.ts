/** How long to wait before sending again. Times in ms. */

const RETRY_AFTER_MAX_MS = 3_600_000;

/**
 * Returns what a `Retry-After` asks for (seconds, or a date; at most an hour), and a random wait up
 * to `baseMs * 2^failures`, at most `maxMs`: players that failed together do not come back together.
 */
export function waitMs(failures: number, baseMs: number, maxMs: number, retryAfter?: string | null): number {
  const seconds = Number(retryAfter);
  // A date is compared with a clock that may be wrong: the hour is the most it can do.
  const asked = seconds >= 0 ? seconds * 1000 : Date.parse(retryAfter!) - Date.now();
  const jitter = Math.random() * Math.min(maxMs, baseMs * 2 ** failures);
  return Math.max(0, Math.min(RETRY_AFTER_MAX_MS, asked || 0)) + jitter;
}
