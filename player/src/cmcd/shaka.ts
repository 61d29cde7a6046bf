/** CMCD of Shaka Player (5.2 and later for events): its own manager reports, our relay sends. */

import { settle, type CmcdOptions, type Settled, type StopCmcd } from './options.ts';
import { createRelay, type Relay, type Rendition } from './relay.ts';

/** What is used of a Shaka player. */
export interface CmcdShaka {
  configure(config: object): unknown;
  addEventListener(type: string, heard: (event: never) => void): void;
  removeEventListener(type: string, heard: (event: never) => void): void;
  getMediaElement(): HTMLMediaElement | null;
  getVariantTracks(): readonly ShakaTrack[];
  getNetworkingEngine(): object | null;
}

/** What is used of a variant. */
export interface ShakaTrack {
  readonly active: boolean;
  readonly bandwidth: number;
  readonly videoBandwidth?: number | null;
  readonly height: number | null;
}

interface ShakaRequest {
  uris: string[];
  headers: Record<string, string>;
}

type Filter = (type: number, request: ShakaRequest) => void;

interface Engine {
  registerRequestFilter(filter: Filter): void;
  unregisterRequestFilter(filter: Filter): void;
  constructor: {
    registerScheme(scheme: string, plugin: (uri: string, request: { body: ArrayBuffer | null }) => object): void;
    unregisterScheme(scheme: string): void;
  };
}

/** What a request without CMCD is asked to carry: a key that no report has. */
const NOTHING = ['playhead-none'];
const HEADER = 'CMCD-Session';
const RECOVERABLE = 1;
let relays = 0;

/**
 * Has Shaka report CMCD. Call it after `new shaka.Player()` and before `attach` and `load`: a
 * reporter begins with each load.
 */
export function configureShaka(player: CmcdShaka, options: CmcdOptions): StopCmcd {
  const settled = settle(options);
  const relay = settled.target ? createRelay(settled, () => renditionsOf(player)) : undefined;
  const undo = relay && divert(player, relay);
  if (relay && !undo) settled.heard('CMCD cannot be reported: this Shaka player has no networking engine.');
  player.configure({ cmcd: cmcdOf(settled, undo?.target ?? '') });
  const drops = [listen(player, settled, relay), rename(player, settled)];
  let stopped = false;
  return () => {
    if (stopped) return;
    stopped = true;
    player.configure({ cmcd: { enabled: false, eventTargets: [] } });
    undo?.();
    relay?.close();
    drops.forEach((drop) => drop());
  };
}

function cmcdOf(settled: Settled, url: string): object {
  const { events, intervalS: interval, requests } = settled;
  return {
    enabled: true,
    version: settled.requestVersion,
    sessionId: settled.sid(),
    contentId: settled.contentId() ?? '',
    useHeaders: requests === 'header',
    includeKeys: requests ? [] : NOTHING,
    eventTargets: url
      ? [{ enabled: true, mode: 'event', url, events, interval, batchSize: 1, version: 2, includeKeys: [], useHeaders: false }]
      : [],
  }; // prettier-ignore
}

/**
 * Takes the reports from Shaka, which loses those that failed: they go to an address of a scheme of
 * our own, as Shaka has plugins for.
 */
function divert(player: CmcdShaka, relay: Relay): (UndoDivert) | undefined {
  const engine = player.getNetworkingEngine() as Engine | null;
  const schemes = engine?.constructor;
  if (!schemes?.registerScheme) return undefined;
  const scheme = `playhead${++relays}`;
  schemes.registerScheme(scheme, (uri, request) => {
    relay.take(new TextDecoder().decode(request.body ?? new ArrayBuffer(0)));
    const promise = Promise.resolve({ uri, originalUri: uri, data: new ArrayBuffer(0), headers: {}, status: 204 });
    return { promise, abort: () => Promise.resolve(), finally: () => undefined };
  });
  return Object.assign(() => schemes.unregisterScheme(scheme), { target: `${scheme}:cmcd` });
}

type UndoDivert = (() => void) & { target: string };

/** States that the compiled builds of Shaka 5.2 leave out of their reports, by the element's events. */
const STATES = { playing: 'p', pause: 'a', seeking: 'k', ended: 'e' };

/** Names requests by the session of now: Shaka keeps the one it was configured with. */
function rename(player: CmcdShaka, settled: Settled): () => void {
  const engine = player.getNetworkingEngine() as Engine | null;
  const named = settled.sid();
  const filter: Filter = (_, request) => {
    const sid = settled.sid();
    const session = request.headers[HEADER];
    request.uris = request.uris.map((uri) => uri.split(named).join(sid));
    if (session) request.headers[HEADER] = session.split(named).join(sid);
  };
  engine?.registerRequestFilter(filter);
  return () => engine?.unregisterRequestFilter(filter);
}

function listen(player: CmcdShaka, settled: Settled, relay: Relay | undefined): () => void {
  let loads = 0;
  let watched: HTMLMediaElement | null = null;
  const heard = (event: Event): void => relay?.tell(STATES[event.type as keyof typeof STATES]);
  const watch = (video: HTMLMediaElement | null): void => {
    relay?.watch(video);
    if (watched === video) return;
    for (const type of Object.keys(STATES)) {
      watched?.removeEventListener(type, heard);
      video?.addEventListener(type, heard);
    }
    watched = video;
  };
  const ears: [string, (event: never) => void][] = [
    ['loading', () => {
      watch(player.getMediaElement());
      if (relay) relay.source();
      else if (loads++) settled.sid(true);
    }],
    ['loaded', () => watch(player.getMediaElement())],
    ['buffering', (event: { buffering?: boolean }) => relay?.tell(event.buffering ? 'r' : 'p')],
    ['adaptation', () => relay?.shows(chosen(player))],
    ['error', (event: { detail?: { code?: number; severity?: number } }) => {
      const { code, severity } = event.detail ?? {};
      relay?.fault(`${code ?? ''}`, severity !== RECOVERABLE);
    }],
  ]; // prettier-ignore
  ears.forEach(([type, call]) => player.addEventListener(type, call));
  watch(player.getMediaElement());
  return () => {
    ears.forEach(([type, call]) => player.removeEventListener(type, call));
    watch(null);
  };
}

function kbpsOf(track: ShakaTrack): number {
  return (track.videoBandwidth || track.bandwidth) / 1000;
}

function chosen(player: CmcdShaka): number | undefined {
  const active = player.getVariantTracks().find((track) => track.active);
  return active && kbpsOf(active);
}

/** Returns each picture's rendition once: variants that differ in sound alone look the same. */
function renditionsOf(player: CmcdShaka): Rendition[] {
  const seen = new Map<string, Rendition>();
  for (const track of player.getVariantTracks()) {
    const one = { height: track.height, kbps: kbpsOf(track) };
    seen.set(`${one.height} ${one.kbps}`, one);
  }
  return [...seen.values()];
}
