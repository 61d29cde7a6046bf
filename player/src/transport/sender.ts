/** One request to the server. */

const TIMEOUT_MS = 30_000;
/** Below this, what gzip saves is not worth its time. */
const GZIP_MIN_CHARS = 1_000;

/** What came back; `status` 0 = nothing did, and `body` says why. */
export interface Answer {
  status: number;
  body: string;
  retryAfter?: string | null;
}

/**
 * Posts a body and never throws. No header makes the browser ask first (a preflight): the type is
 * plain text, as a beacon's, and the server knows gzip by its first bytes.
 */
export async function post(url: string, text: string, gzip = true, keepalive = false): Promise<Answer> {
  try {
    if (navigator.onLine === false) throw 'offline';
    const answer = await fetch(url, {
      method: 'POST',
      body: gzip && text.length > GZIP_MIN_CHARS && globalThis.CompressionStream ? await gzipped(text) : text,
      headers: { 'content-type': 'text/plain' },
      credentials: 'omit',
      keepalive,
      // The segments of the video go first.
      priority: 'low',
      // Browsers older than 2022 have none, and wait as long as they like.
      signal: AbortSignal.timeout?.(TIMEOUT_MS) ?? null,
    });
    return { status: answer.status, body: await answer.text(), retryAfter: answer.headers.get('retry-after') };
  } catch (error) {
    return { status: 0, body: `${error}` };
  }
}

const gzipped = (text: string): Promise<BodyInit> =>
  new Response(new Response(text).body!.pipeThrough(new CompressionStream('gzip'))).arrayBuffer();

/**
 * Sends while the page may be going; whether it arrives is never known. False = the browser has no
 * room for it. The second way has a small chance then.
 */
export function beacon(url: string, body: string): boolean {
  const isTaken = !!navigator.sendBeacon?.(url, body); // a string is text/plain
  if (!isTaken) void post(url, body, false, true);
  return isTaken;
}
