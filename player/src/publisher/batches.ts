/** Sends records in batches; a batch sent again keeps its key, so the server counts it once. */

import { uuid7 } from '../core/ids.ts';
import { isAway, waitMs } from '../transport/backoff.ts';
import type { FrameRecord, PublisherConfig } from './config.ts';

const FLUSH_MS = 5_000;
const BATCH_RECORDS = 500;
const QUEUE_RECORDS = 10_000;
const BACKOFF_MS = 1_000;
const BACKOFF_MAX_MS = 60_000;
/** Bytes that a request which outlives its page may carry. */
const KEEPALIVE_BYTES = 60_000;
const DOOR = '/v0/events';
const SOURCE = 'stream_frames';

interface Batch {
  key: string;
  body: string;
  records: number;
}

/** Takes records and sees to it that they reach the server, once. */
export interface Batches {
  put(record: FrameRecord): void;
  /** Sends what is held; resolves when the server has answered, or sending failed. */
  flush(): Promise<void>;
  /** The page may be gone in a moment: what is held is sent so that it outlives it. */
  leave(): void;
  /** Sends what is held a last time. */
  close(): void;
}

/** Makes the batches of a monitor. */
export function createBatches(config: PublisherConfig): Batches {
  return new RecordBatches(config);
}

class RecordBatches implements Batches {
  private readonly _config: PublisherConfig;
  private readonly _target: string;
  private _held: string[] = [];
  /** Cut already, and perhaps sent: each is sent again as it is. */
  private _cut: Batch[] = [];
  private _sending: Promise<void> | undefined;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _failures = 0;
  private _notBefore = 0;
  private _closed = false;

  constructor(config: PublisherConfig) {
    this._config = config;
    this._target = targetOf(config);
  }

  put(record: FrameRecord): void {
    if (this._closed) return;
    this._held.push(JSON.stringify(record));
    this._trim();
    const wait = this._held.length >= (this._config.maxBatchRecords ?? BATCH_RECORDS) ? 0 : undefined;
    this._later(wait ?? this._config.flushMs ?? FLUSH_MS);
  }

  flush(): Promise<void> {
    this._sending ??= this._send().finally(() => {
      this._sending = undefined;
      if (!this._closed && (this._cut.length || this._held.length)) this._later(this._config.flushMs ?? FLUSH_MS);
    });
    return this._sending;
  }

  leave(): void {
    this._seal();
    // Should the page stay, they go out again under their keys, and count once.
    for (const batch of this._cut) void this._post(batch, true);
  }

  close(): void {
    if (this._closed) return;
    this._closed = true;
    clearTimeout(this._timer);
    this.leave();
  }

  /** Plans the next sending, or an earlier one, but none before the server wants it. */
  private _later(ms: number): void {
    if (this._closed || (this._timer && ms)) return;
    clearTimeout(this._timer);
    const wait = Math.max(ms, this._notBefore - Date.now());
    this._timer = setTimeout(() => {
      this._timer = undefined;
      void this.flush();
    }, wait);
  }

  private _seal(): void {
    const size = this._config.maxBatchRecords ?? BATCH_RECORDS;
    while (this._held.length) {
      const lines = this._held.splice(0, size);
      this._cut.push({ key: uuid7(), body: lines.join('\n'), records: lines.length });
    }
  }

  private async _send(): Promise<void> {
    this._seal();
    while (this._cut.length && !this._closed) {
      const wait = await this._post(this._cut[0]!);
      if (wait > 0) {
        this._notBefore = Date.now() + wait;
        return;
      }
      this._cut.shift();
      this._failures = 0;
    }
  }

  /** Sends a batch: 0 = done with, else the ms to wait before it is sent again. */
  private async _post({ key, body, records }: Batch, leaving = false): Promise<number> {
    try {
      const answer = await fetch(this._target, {
        method: 'POST',
        headers: { 'Content-Type': 'application/x-ndjson', 'Idempotency-Key': key },
        body,
        keepalive: leaving && body.length < KEEPALIVE_BYTES,
      });
      if (answer.ok) return this._say(`${records} records were sent.`);
      const { status } = answer;
      if (!isAway(status)) {
        return this._say(`${records} records were refused with ${status}: ${(await answer.text()).slice(0, 200)}`);
      }
      return this._backoff(`The server answered ${status}`, answer.headers.get('Retry-After'));
    } catch (error) {
      return this._backoff(`The server did not answer (${error})`, null);
    }
  }

  private _backoff(why: string, retryAfter: string | null): number {
    const { backoffMs = BACKOFF_MS, backoffMaxMs = BACKOFF_MAX_MS } = this._config;
    const wait = Math.max(1, waitMs(this._failures++, backoffMs, backoffMaxMs, retryAfter));
    this._say(`${why}; again in ${Math.round(wait)} ms.`);
    return wait;
  }

  /** Drops the oldest records where too many wait. */
  private _trim(): void {
    const most = this._config.maxQueueRecords ?? QUEUE_RECORDS;
    const count = (): number => this._cut.reduce((sum, batch) => sum + batch.records, this._held.length);
    while (count() > most) {
      // The first batch may be on its way: it stays.
      const gone = this._cut.length > 1 ? this._cut.splice(1, 1)[0]!.records : this._held.splice(0, 1).length;
      if (!gone) return;
      this._say(`${gone} records were dropped: more than ${most} wait.`);
    }
  }

  private _say(text: string): 0 {
    try {
      this._config.onReport?.(text);
    } catch {
      // the page's own mistake
    }
    return 0;
  }
}

/** Returns the address of a server's door for rows, or the address as it is if it names a path. */
export function targetOf({ endpoint, key }: Pick<PublisherConfig, 'endpoint' | 'key'>): string {
  const url = new URL(endpoint, typeof location === 'undefined' ? undefined : location.href);
  if (url.pathname === '/') url.pathname = DOOR;
  if (!url.searchParams.has('name')) url.searchParams.set('name', SOURCE);
  if (key) url.searchParams.set('token', key);
  return url.href;
}
