/** Sends CMCD records as the standard asks: batches in order, waits at 429 and 5xx, stops at 410. */

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
    const wait = await post(target, lines.join('\n'));
    busy = false;
    if (wait === GONE_FOR_GOOD) stop('The server wants no more CMCD reports in this session.');
    else if (wait >= 0 && !stopped) later(lines, wait);
    else failures = 0;
    void send();
  }

  function later(lines: string[], waitMs: number): void {
    waiting = lines.concat(waiting);
    trim();
    const ms = Math.max(waitMs, Math.min(BACKOFF_MS * 2 ** failures++, BACKOFF_MAX_MS));
    heard(`CMCD reports could not be sent; ${waiting.length} wait ${ms} ms.`);
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
      void post(target, batch().join('\n')); // also beside one that is under way: records are numbered
    },
  };
}

const GONE_FOR_GOOD = -2;
const TAKEN = -1;

/** Sends a body: `TAKEN`, `GONE_FOR_GOOD`, or the ms to wait at least before the next try. */
async function post(target: string, body: string): Promise<number> {
  if (!body) return TAKEN;
  try {
    const answer = await fetch(target, {
      method: 'POST',
      headers: { 'Content-Type': 'application/cmcd' },
      body,
      keepalive: true,
    });
    if (answer.status === GONE) return GONE_FOR_GOOD;
    if (answer.status !== 429 && answer.status < 500) return TAKEN;
    return Math.min(Number(answer.headers.get('Retry-After')) * 1_000 || 0, BACKOFF_MAX_MS);
  } catch {
    return 0;
  }
}
