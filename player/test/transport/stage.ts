/** What the transport's tests need: a server that fails by a script, and what a browser has and node has not. */

import 'fake-indexeddb/auto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { reportTo } from '../../src/core/guard.ts';
import { createTransport } from '../../src/transport/transport.ts';
import type { Config, Report, Transport } from '../../src/types.ts';
import type { Kind, WireEvent } from '../../src/wire/event.ts';

/** One fault: what becomes of a request instead of 200. */
export type Fault =
  | { status: number; headers?: Record<string, string>; body?: string }
  | 'cut'
  | 'slow';

/** A server that takes events as the store does: once by view and seq, if it took them at all. */
export class Server {
  readonly faults: Fault[] = [];
  readonly requests: { at: number; events: WireEvent[]; bytes: number; type: string; url: string }[] = [];
  readonly stored = new Map<string, number>();
  together = 0;
  most = 0;
  private readonly http = createServer((request, response) => void this.answer(request, response));
  url = '';

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.http.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
    return this;
  }

  async close(): Promise<void> {
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.most = Math.max(this.most, ++this.together);
    response.on('close', () => this.together--);
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const raw = Buffer.concat(parts);
    const text = (raw[0] === 0x1f ? gunzipSync(raw) : raw).toString();
    const events = JSON.parse(text) as WireEvent[];
    const type = request.headers['content-type'] ?? '';
    this.requests.push({ at: performance.now(), events, bytes: raw.length, type, url: request.url ?? '' });
    const fault = this.faults.shift();
    if (fault && fault !== 'cut' && fault !== 'slow') {
      response.writeHead(fault.status, fault.headers).end(fault.body ?? '{}');
      return;
    }
    for (const { viewId, seq } of events) {
      const key = `${viewId}/${seq}`;
      this.stored.set(key, (this.stored.get(key) ?? 0) + 1);
    }
    if (fault === 'cut') request.socket.destroy();
    else {
      if (fault === 'slow') await sleep(150);
      response.writeHead(200).end(`{"ok":true,"accepted":${events.length},"rejected":[]}`);
    }
  }
}

const later = setTimeout;

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => later(resolve, ms));

/** Waits until something holds; throws after 4 s. */
export async function until(holds: () => boolean, why = 'it never came'): Promise<void> {
  const end = performance.now() + 4_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(why);
    await sleep(5);
  }
}

/** The locks of one browser; `die` is what happens to those of a closed tab. */
class Locks {
  private readonly held: { name: string; end: () => void }[] = [];

  async request(name: string, ...rest: unknown[]): Promise<unknown> {
    const call = rest.pop() as () => unknown;
    const isShared = rest.length > 0;
    await sleep(1);
    while (!isShared && this.held.some((lock) => lock.name === name)) await sleep(1);
    let lock = { name, end: (): void => {} };
    const dies = new Promise<void>((resolve) => (lock = { name, end: resolve }));
    this.held.push(lock);
    try {
      return await Promise.race([call(), dies]);
    } finally {
      this.held.splice(this.held.indexOf(lock), 1);
    }
  }

  async query(): Promise<{ held: { name: string }[] }> {
    return { held: this.held.map(({ name }) => ({ name })) };
  }

  die(): void {
    for (const { end } of this.held) end();
  }
}

/** As much of a browser as the transport touches. */
export class Browser extends EventTarget {
  readonly locks: Locks | undefined = new Locks();
  readonly beacons: string[] = [];
  onLine = true;
  takesBeacons = true;
  private readonly timers: ReturnType<typeof setTimeout>[] = [];

  constructor() {
    super();
    const storage = Object.create({
      getItem(this: Record<string, string>, name: string) {
        return this[name] ?? null;
      },
      setItem(this: Record<string, string>, name: string, text: string) {
        this[name] = text;
      },
      removeItem(this: Record<string, string>, name: string) {
        delete this[name];
      },
    }) as Storage;
    const page = this as unknown as Window;
    Object.defineProperty(globalThis, 'navigator', { value: this, configurable: true });
    Object.assign(globalThis, {
      localStorage: storage,
      setTimeout: (call: () => void, ms: number) => {
        const timer = later(call, ms);
        this.timers.push(timer);
        return timer;
      },
      window: page,
      document: { hidden: false },
    });
  }

  sendBeacon(_url: string, body: string): boolean {
    if (this.takesBeacons) this.beacons.push(body);
    return this.takesBeacons;
  }

  /** The tabs are gone, without a word: nothing of theirs runs any more, and their locks are free. */
  die(): void {
    this.timers.splice(0).forEach(clearTimeout);
    this.locks?.die();
  }

  tell(type: string, hidden = false): void {
    Object.assign(globalThis.document, { hidden });
    this.dispatchEvent(new Event(type));
  }
}

let views = 0;

/** A page with one transport; `die` takes it away without a word, as a crash does. */
export class Page {
  readonly reports: Report[] = [];
  readonly viewId = `view-${++views}`;
  readonly transport: Transport;
  private seq = 0;
  private dead = false;

  constructor(config: Partial<Config> & { endpoint: string }) {
    const settings = { flushMs: 40, backoffMs: 10, backoffMaxMs: 40, ...config };
    const tell = reportTo((report) => void (this.dead || this.reports.push(report)));
    this.transport = createTransport(settings, tell);
  }

  put(eventType: Kind = 'HEARTBEAT', urgent = false, more: Partial<WireEvent> = {}): WireEvent {
    const event = { eventType, timestamp: Date.now(), viewId: this.viewId, seq: this.seq++, ...more };
    this.transport.put(event, urgent);
    return event;
  }

  told(what: Report['what']): Report[] {
    return this.reports.filter((report) => report.what === what);
  }
}
