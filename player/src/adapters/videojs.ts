/** Video.js: the element below it, its sources and errors, and what its own streaming (VHS) fetches. */

import { merge } from '../core/view.ts';
import { errorOf } from '../media/signals.ts';
import { sources } from '../media/source.ts';
import type { Adapter, Emitter, Host } from '../types.ts';
import { fail } from './failure.ts';
import { renditions } from './rendition.ts';
import { type Tell, requests } from './request.ts';

/** What is used of Video.js (8.x). */
export interface Videojs extends Emitter {
  currentSrc(): string;
  duration(): number | undefined;
  currentTime(): number | undefined;
  error(): { code: number; message: string; status?: unknown } | null | undefined;
  textTracks(): object;
  tech(ok: true): { el(): Element; vhs?: Vhs } | undefined;
}

/** Video.js' own HLS and DASH. Rates in bit/s. */
interface Vhs {
  stats?: { bandwidth: number };
  bandwidth?: number;
  xhr: { onResponse?(heard: Heard): void; offResponse?(heard: Heard): void };
}

type Heard = (request: Xhr, error: unknown, response: { statusCode: number; url?: string }) => void;

interface Xhr {
  uri: string;
  requestType?: string;
  /** ms since 1970. */
  requestTime: number;
  aborted?: boolean;
  response?: unknown;
  responseType?: string;
  responseText?: string;
  responseURL?: string;
  getAllResponseHeaders?(): string;
}

/** What a segment's cue says of its rendition. */
interface SegmentCue extends TextTrackCue {
  value?: { bandwidth?: number; codecs?: string; resolution?: { width: number; height: number } };
}

const KINDS: Record<string, string> = {
  'hls-playlist': 'manifest',
  'dash-manifest': 'manifest',
  'dash-sidx': 'init',
  'segment-media-initialization': 'init',
  'segment-key': 'key',
  segment: 'muxed',
};

/** Measures what Video.js does: `createMonitor(config, [fed(elementOf(player)), videojsAdapter(player)])`. */
export function videojsAdapter(player: Videojs): Adapter {
  return (host) => {
    const on = (name: string, heard: () => void) => host.listen(player, name, heard);
    const video = elementOf(player);
    const loading = sources(host, player.currentSrc());
    const since = host.now();
    // A player does not know its version; the script-tag build does.
    const { VERSION } = (globalThis as { videojs?: { VERSION?: string } }).videojs ?? {};
    host.remember({ playerName: 'Video.js', ...(VERSION && { playerVersion: VERSION }) });
    const length = () => {
      const seconds = player.duration();
      if (seconds === Infinity) host.remember({ streamType: 'live' });
      else if (seconds) host.remember({ streamType: 'vod', durationSec: seconds });
    };
    on('ready', () => host.take('PLAYER_READY', { playerStartupMs: host.now() - since }));
    on('loadstart', () => loading(player.currentSrc()));
    on('durationchange', length);
    on('error', () => {
      const error = player.error();
      // What the element itself failed of is told by the element.
      if (!error || error.code < 2 || errorOf(video)) return;
      const { code, message, status } = error;
      fail(host, { type: 'MediaError', code: `${code}`, message, fatal: true }, Number(status));
    });
    on('dispose', () => host.take('STOP'));
    length();
    segments(host, player, video);
    host.sample((fields) => {
      const vhs = player.tech(true)?.vhs;
      const rate = vhs?.stats?.bandwidth ?? vhs?.bandwidth;
      if (rate) merge(fields, { player: { throughputKbps: Math.round(rate / 1e3) } });
    });
    return fetches(host, player);
  };
}

/** Returns the element below a player. */
export function elementOf(player: Videojs): HTMLVideoElement {
  return player.tech(true)!.el() as HTMLVideoElement;
}

/** Tells what is on screen: Video.js marks each segment on the time line, with its rendition. */
function segments(host: Host, player: Videojs, video: HTMLVideoElement): void {
  const tracks = player.textTracks() as ArrayLike<TextTrack> & EventTarget;
  const heard = new WeakSet<TextTrack>();
  const show = renditions(host, video);
  const listen = () => {
    for (const track of Array.from(tracks)) {
      if (track.label !== 'segment-metadata' || heard.has(track)) continue;
      heard.add(track);
      host.listen(track, 'cuechange', () => {
        const value = (track.activeCues?.[0] as SegmentCue | undefined)?.value;
        if (!value?.bandwidth) return;
        const { width, height } = value.resolution ?? {};
        show({ bitrateKbps: Math.round(value.bandwidth / 1e3), width, height, codec: value.codecs });
      });
    }
  };
  host.listen(tracks, 'addtrack', listen);
  listen();
}

/** Tells each request of VHS; returns how to stop. */
function fetches(host: Host, player: Videojs): () => void {
  const tell = requests(host);
  const heard = host.guard<Parameters<Heard>>((request, _error, response) => fetched(tell, request, response));
  let stop: (() => void) | undefined;
  const hook = () => {
    stop?.();
    const xhr = player.tech(true)?.vhs?.xhr;
    xhr?.onResponse?.(heard);
    stop = () => xhr?.offResponse?.(heard);
  };
  host.listen(player, 'xhr-hooks-ready', hook);
  hook();
  return () => stop?.();
}

function fetched(tell: Tell, request: Xhr, response: Parameters<Heard>[2]): void {
  const kind = KINDS[request.requestType!];
  if (!kind || request.aborted) return;
  const body = request.responseType === 'arraybuffer' ? (request.response as ArrayBuffer | null) : null;
  const bytes = body?.byteLength ?? (request.responseType ? undefined : request.responseText?.length);
  tell(
    { kind, url: response.url || request.responseURL || request.uri, status: response.statusCode, bytes },
    { start: request.requestTime, end: Date.now() },
    { getAllResponseHeaders: () => request.getAllResponseHeaders?.() ?? '' },
  );
}
