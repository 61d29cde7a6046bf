/** What the tests of elements and adapters need: a host that writes down, an element that is told what to be. */

import { setMaxListeners } from 'node:events';
import { listener } from '../../src/core/listener.ts';
import { guardWith } from '../../src/core/guard.ts';
import type { Config, Fields, Host } from '../../src/types.ts';
import type { Kind } from '../../src/wire/event.ts';

const page = Object.assign(new EventTarget(), {
  baseURI: 'https://page.test/watch/',
  hidden: false,
  visibilityState: 'visible',
  fullscreenElement: null,
  pictureInPictureElement: null,
});
const connection = Object.assign(new EventTarget(), { downlink: 10, rtt: 50, effectiveType: '4g' });

setMaxListeners(0, page, connection);

/** What the browser has and node has not. */
export const browser = {
  document: page,
  navigator: {
    connection,
    userActivation: { hasBeenActive: true },
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0',
    sendBeacon: () => false,
  },
};
for (const [name, value] of Object.entries({
  ...browser,
  screen: { width: 1920, height: 1080 },
  devicePixelRatio: 2,
  window: globalThis,
  self: globalThis,
})) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
Object.assign(globalThis, { addEventListener: () => {}, removeEventListener: () => {} });

/** An event as an adapter told it. */
export interface Told extends Fields {
  kind: Kind;
  position?: number | undefined;
  at?: number | undefined;
}

/** A host that writes down what it is told; its clock and its timers stand still unless moved. */
export class Book implements Host {
  clock = 1_000;
  view = 'view-1';
  readonly told: Told[] = [];
  readonly moves: [position: number, rate: number][] = [];
  readonly facts: Fields = {};
  readonly sources: string[] = [];
  readonly faults: string[] = [];
  private readonly fills: ((fields: Fields) => void)[] = [];
  /** What fires how often, in ms. */
  readonly timers = new Map<() => void, number>();
  private readonly page = listener(guardWith((_, text) => this.faults.push(text)));

  constructor(readonly config: Config = { endpoint: 'https://metrics.test' }) {}

  readonly guard = guardWith((_, text) => this.faults.push(text)) as Host['guard'];
  readonly listen: Host['listen'] = (target, type, heard) => this.page.listen(target, type, heard);

  now(): number {
    return this.clock;
  }

  take(kind: Kind, fields: Fields = {}, position?: number, at?: number): void {
    this.told.push({ kind, ...fields, position, at });
  }

  progress(position: number, rate: number): void {
    this.moves.push([position, rate]);
  }

  remember(fields: Fields): void {
    Object.assign(this.facts, fields);
  }

  sample(fill: (fields: Fields) => void): void {
    this.fills.push(fill);
  }

  source(url: string): void {
    this.sources.push(url);
  }

  every(ms: number, call: () => void): () => void {
    this.timers.set(call, ms);
    return () => this.timers.delete(call);
  }

  viewId(): string {
    return this.view;
  }

  /** The next heartbeat's samples. */
  sampled(): Fields {
    const fields: Fields = {};
    for (const fill of this.fills) fill(fields);
    return fields;
  }

  /** Lets the timers fire once; returns how many there are. */
  poll(): number {
    for (const call of [...this.timers.keys()]) call();
    return this.timers.size;
  }

  kinds(): Kind[] {
    return this.told.map(({ kind }) => kind);
  }

  destroy(): void {
    this.page._undo.forEach((call) => call());
  }
}

/** A media element that is what it is told to be. */
export class Video extends EventTarget {
  currentTime = 0;
  playbackRate = 1;
  duration = NaN;
  currentSrc = '';
  paused = true;
  ended = false;
  muted = false;
  volume = 1;
  autoplay = false;
  loop = false;
  networkState = 1;
  readyState = 0;
  videoWidth = 0;
  videoHeight = 0;
  clientWidth = 640;
  clientHeight = 360;
  error: { code: number; message: string } | null = null;
  played: { length: number } = { length: 0 };
  buffered = { length: 0, start: (_: number) => 0, end: (_: number) => 0 };
  frames = { totalVideoFrames: 0, droppedVideoFrames: 0 };
  private readonly presented: (() => void)[] = [];

  getVideoPlaybackQuality(): { totalVideoFrames: number; droppedVideoFrames: number } {
    return { ...this.frames };
  }

  requestVideoFrameCallback(call: () => void): number {
    return this.presented.push(call);
  }

  getAttribute(name: string): string | null {
    return name === 'src' && this.currentSrc ? this.currentSrc : null;
  }

  /** Becomes something else, then raises the events. */
  raise(types: string, be: Partial<Video> = {}): this {
    Object.assign(this, be);
    for (const type of types.split(' ')) this.dispatchEvent(new Event(type));
    return this;
  }

  /** Presents a frame; returns how many callbacks wait for the next. */
  present(currentTime: number): number {
    this.currentTime = currentTime;
    for (const call of this.presented.splice(0)) call();
    return this.presented.length;
  }

  as(): HTMLVideoElement {
    return this as unknown as HTMLVideoElement;
  }
}

/** An emitter with `on` and `off`, as players' libraries have it. */
export class Emitter {
  readonly heard = new Map<string, Set<(...args: unknown[]) => void>>();

  on(type: string, call: (...args: unknown[]) => void): void {
    this.heard.set(type, (this.heard.get(type) ?? new Set()).add(call));
  }

  off(type: string, call: (...args: unknown[]) => void): void {
    this.heard.get(type)?.delete(call);
  }

  emit(type: string, ...args: unknown[]): void {
    this.heard.get(type)?.forEach((call) => call(...args));
  }

  listeners(): number {
    return [...this.heard.values()].reduce((sum, { size }) => sum + size, 0);
  }
}
