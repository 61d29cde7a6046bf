/** Sends CMCD records as the standard asks: batches in order, waits at 429 and 5xx, stops at 410. */

import { isAway, waitMs } from '../transport/backoff.ts';

/** Records that wait while the server cannot be reached; the oldest go first. */
export const WAITING_MAX = 500;
/** Characters of one body: what a request that outlives its page may carry, with room to spare. */
export const BODY_MAX_CHARS = 30_000;
const BACKOFF_MS = 1_000;
const BACKOFF_MAX_MS = 60_000;
const GONE = 410;

/** Takes records and sends them. */
export interface Outbox {
  /** Sends a record, with what waits. */
  put(line: string): void;
  /** Sends no more; what is under way may still arrive. */
  close(): void;
}

/** What a page may want to hear of the sending: a sentence. */
export type Heard = (text: string) => void;

/** Makes an outbox for a target, the whole address of a CMCD door. */
export function createOutbox(target: string, heard: Heard): Outbox {
  let waiting: string[] = [];
  let busy = false;
  let stopped = false;
  let failures = 0;
  let lost = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function batch(): string[] {
    let chars = 0;
    const end = waiting.findIndex((line) => (chars += line.length + 1) > BODY_MAX_CHARS);
    return waiting.splice(0, end < 0 ? waiting.length : Math.max(end, 1));
  }

  async function send(): Promise<void> {
    if (busy || stopped || timer || !waiting.length) return;
    busy = true;
    const lines = batch();
    const { status, retryAfter } = await post(target, lines.join('\n'));
    busy = false;
    if (status === GONE) stop('The server wants no more CMCD reports in this session.');
    else if (isAway(status) && !stopped) later(lines, retryAfter);
    else failures = 0;
    void send();
  }

  function later(lines: string[], retryAfter: string | null): void {
    waiting = lines.concat(waiting);
    trim();
    const ms = waitMs(failures++, BACKOFF_MS, BACKOFF_MAX_MS, retryAfter);
    heard(`CMCD reports could not be sent; ${waiting.length} wait ${Math.round(ms)} ms.`);
    timer = setTimeout(() => {
      timer = undefined;
      void send();
    }, ms);
  }

  function trim(): void {
    const over = waiting.length - WAITING_MAX;
    if (over <= 0) return;
    waiting.splice(0, over);
    lost += over;
    heard(`${lost} CMCD reports were dropped: more than ${WAITING_MAX} wait.`);
  }

  function stop(why: string): void {
    stopped = true;
    waiting = [];
    heard(why);
  }

  return {
    put(line) {
      if (stopped) return;
      waiting.push(line);
      trim();
      void send();
    },
    close() {
      // What waits is tried once more, at once: the page may be gone in a moment.
      clearTimeout(timer);
      timer = undefined;
      stopped = true;
      const rest = batch().join('\n');
      if (rest) void post(target, rest); // also beside one that is under way: records are numbered
    },
  };
}

/** Sends a body; status 0 = nobody answered. */
async function post(target: string, body: string): Promise<{ status: number; retryAfter: string | null }> {
  try {
    const { status, headers } = await fetch(target, {
      method: 'POST',
      headers: { 'Content-Type': 'application/cmcd' },
      body,
      keepalive: true,
    });
    return { status, retryAfter: headers.get('Retry-After') };
  } catch {
    return { status: 0, retryAfter: null };
  }
}
