/** A page without a browser: what a monitor needs of one. */

import type { Adapter, Config, Host, Monitor, Report, Transport } from '../../src/types.ts';
import type { WireEvent } from '../../src/wire/event.ts';
import { createMonitorWith } from '../../src/core/monitor.ts';

/** Counts its listeners. */
class Target extends EventTarget {
  hidden = false;
  listeners = 0;

  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    this.listeners++;
    super.addEventListener(...args);
  }

  override removeEventListener(...args: Parameters<EventTarget['removeEventListener']>): void {
    this.listeners--;
    super.removeEventListener(...args);
  }
}

/** The page's globals, made anew. */
export interface Page {
  document: Target;
  window: Target;
  localStorage: Record<string, string>;
}

/** Puts a fresh page in place of the browser's. */
export function openPage(navigator: object = {}): Page {
  const page = { document: new Target(), window: new Target(), localStorage: {} };
  for (const [name, value] of Object.entries({ ...page, navigator })) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  return page;
}

/** A monitor whose events go nowhere but here. */
export interface Measured {
  monitor: Monitor;
  host: Host;
  events: WireEvent[];
  urgent: string[];
  reports: Report[];
  /** What was asked of the transports, in order. */
  calls: string[];
  kinds(): string[];
}

/** Measures a player that the test plays by hand. */
export function measure(config: Partial<Config> = {}, adapter?: Adapter): Measured {
  const events: WireEvent[] = [];
  const urgent: string[] = [];
  const reports: Report[] = [];
  const calls: string[] = [];
  const transport = (): Transport => {
    calls.push('made');
    return {
      put(event, now) {
        events.push(event);
        if (now) urgent.push(event.eventType);
      },
      async flush(leaving) {
        calls.push(leaving ? 'leaving' : 'flush');
      },
      close: (forget) => void calls.push(forget ? 'forget' : 'close'),
    };
  };
  let host: Host | undefined;
  const all: Config = { endpoint: 'http://localhost', onReport: (report) => reports.push(report), ...config };
  const monitor = createMonitorWith(all, [(given) => ((host = given), adapter?.(given))], transport);
  return { monitor, host: host!, events, urgent, reports, calls, kinds: () => events.map((e) => e.eventType) };
}

/** Plays from the start for so many ms, by moments of the monotonic clock from now on. Returns the end. */
export function play({ host }: Measured, ms = 2_000): number {
  const begun = host.now();
  host.take('PLAY', {}, 0, begun);
  for (let at = 0; at <= ms; at += 200) host.progress(at / 1_000, 1, begun + at);
  return begun + ms;
}
