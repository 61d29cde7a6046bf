/** Shaka Player: renditions, requests, errors, licences, live latency. The element is `html5`'s. */

import { merge } from '../core/view.ts';
import { sources } from '../media/source.ts';
import type { Adapter, Emitter, Host } from '../types.ts';
import { fail } from './failure.ts';
import { renditions } from './rendition.ts';
import { requests } from './request.ts';

/** What is used of Shaka Player (4.13 and later). */
export interface Shaka extends Emitter {
  getAssetUri(): string | null;
  isLive(): boolean;
  getStats(): ShakaStats;
  seekRange(): { start: number; end: number };
  getVariantTracks(): ShakaTrack[];
  configure(name: string, value: unknown): boolean;
}

/** Times in s, rates in bit/s; not a number where unknown. */
export interface ShakaStats {
  estimatedBandwidth: number;
  liveLatency: number;
  drmTimeSeconds: number;
  licenseTime: number;
}

/** A variant: video with audio. `bandwidth` in bit/s. */
export interface ShakaTrack {
  active: boolean;
  bandwidth: number;
  videoBandwidth?: number | null;
  width: number | null;
  height: number | null;
  frameRate: number | null;
  codecs: string | null;
}

interface Detail {
  /** 1: it goes on; 2: it does not. */
  severity: number;
  category: number;
  code: number;
  message?: string;
  data?: unknown[];
}

/** What the events say; each has its share of it. */
interface Data {
  detail: Detail;
  mediaQuality: Omit<ShakaTrack, 'active'> & { contentType: string };
  requestType: number;
  request: { uris: string[]; requestStartTime?: number | null; timeToFirstByte?: number | null };
  context?: { type?: number; stream?: { type: string; bandwidth?: number } };
  response: {
    uri: string;
    status?: number;
    timeMs?: number;
    data: ArrayBuffer | ArrayBufferView;
    fromCache?: boolean;
    headers: Record<string, string>;
  };
  httpResponseCode: number;
  error?: Detail | null;
  aborted: boolean;
}

const CATEGORIES = ['', 'network', 'text', 'media', 'manifest', 'streaming', 'drm', 'player', 'cast', 'storage', 'ads'];
/** By `RequestType`; those of segments say more by themselves, those left out are none of the media's. */
const KINDS: Record<number, string> = { 0: 'manifest', 2: 'key', 6: 'key', 12: 'manifest' };

const BAD_HTTP_STATUS = 1001;

type On = (name: string, heard: (data: Data) => void) => void;

/** Measures what Shaka does: `createMonitor(config, [fed(video), shakaAdapter(player, video)])`. */
export function shakaAdapter(player: Shaka, element: HTMLMediaElement): Adapter {
  return (host) => {
    const video = element as HTMLVideoElement;
    const on: On = (name, heard) => host.listen(player, name, heard);
    const loading = sources(host, player.getAssetUri());
    const show = renditions(host, video);
    const { version } = player.constructor as { version?: string };
    let since = host.now();
    host.remember({ playerName: 'Shaka Player', ...(version && { playerVersion: version }) });
    on('loading', () => (since = host.now()));
    on('manifestparsed', () => loading(player.getAssetUri() ?? ''));
    on('loaded', () => {
      const { start, end } = player.seekRange();
      host.remember(player.isLive() ? { streamType: 'live' } : { streamType: 'vod', durationSec: end - start });
      host.take('PLAYER_READY', { playerStartupMs: host.now() - since });
    });
    const rendition = (track: Omit<ShakaTrack, 'active'>) => {
      const bitrateKbps = Math.round((track.videoBandwidth || track.bandwidth) / 1e3);
      const { width, height, codecs: codec, frameRate: fps } = track;
      show({ bitrateKbps, width: width!, height: height!, codec: codec?.split(',')[0], fps: fps! });
    };
    // The active track is the one that is fetched: what is on screen has the picture's height (sound alone: none),
    // and before there is a frame nothing is.
    const active = () => {
      if (video.readyState < 2) return;
      const shown = player.getVariantTracks().filter(({ height }) => (height || 0) === video.videoHeight);
      const track = shown.find((one) => one.active) || shown[0];
      if (track) rendition(track);
    };
    // Shaka says it itself, if asked to, and knows renditions of the same height apart.
    player.configure('streaming.observeQualityChanges', true);
    on('mediaqualitychanged', ({ mediaQuality }) => {
      if (mediaQuality.contentType === 'video') rendition(mediaQuality);
    });
    host.listen(video, 'resize loadeddata', active);
    active();
    on('error', ({ detail }) => failed(host, detail, detail.severity === 2));
    let last: Detail | undefined;
    on('downloadfailed', ({ requestType, error, aborted }) => {
      // A load that fails is told to the caller of `load()` alone; so is a manifest that makes no sense.
      if (requestType === 0 && error?.severity === 2 && !aborted) failed(host, last ?? error, true);
      last = error ?? undefined;
    });
    fetches(host, on);
    samples(host, player);
  };
}

function failed(host: Host, { category, code, message, data }: Detail, fatal: boolean): void {
  const status = code === BAD_HTTP_STATUS ? Number(data?.[1]) : undefined;
  const type = CATEGORIES[category];
  const error = { type, details: type, code: `${code}`, message, fatal };
  fail(host, type === 'manifest' ? { ...error, category: 'content' } : error, status);
}

/** Samples throughput, latency, and once how long the key took. */
function samples(host: Host, player: Shaka): void {
  let told = false;
  host.sample((fields) => {
    const { estimatedBandwidth, liveLatency, licenseTime, drmTimeSeconds } = player.getStats();
    const drm = licenseTime || drmTimeSeconds;
    if (estimatedBandwidth) merge(fields, { player: { throughputKbps: Math.round(estimatedBandwidth / 1e3) } });
    if (liveLatency > 0 && player.isLive()) fields.liveLatencyMs = Math.round(liveLatency * 1e3);
    if (drm > 0 && !told) {
      fields.drmMs = Math.round(drm * 1e3);
      told = true;
    }
  });
}

/** Tells each request that is over; those that Shaka cancels are none. */
function fetches(host: Host, on: On): void {
  const tell = requests(host);
  const kind = ({ requestType, context }: Data) =>
    requestType !== 1
      ? KINDS[requestType]
      : context?.type === 0
        ? 'init'
        : context?.stream?.type === 'text'
          ? 'subtitle'
          : (context?.stream?.type ?? 'other');
  const bitrate = ({ context }: Data) => context?.stream?.bandwidth && Math.round(context.stream.bandwidth / 1e3);
  on('downloadcompleted', (data) => {
    const { request, response } = data;
    const what = kind(data);
    if (!what || response.fromCache) return;
    const start = request.requestStartTime ?? 0;
    tell(
      {
        kind: what,
        url: response.uri,
        status: response.status ?? 200,
        bytes: response.data?.byteLength,
        bitrateKbps: bitrate(data) || undefined,
      },
      { start: 1, first: 1 + (request.timeToFirstByte ?? 0), end: 1 + (response.timeMs ?? (Date.now() - start)) },
      { headers: { get: (name) => response.headers[name] ?? null } },
    );
  });
  on('downloadfailed', (data) => {
    const what = kind(data);
    // The end of the tries is no try of its own.
    if (!what || data.aborted || data.error?.severity === 2) return;
    tell(
      { kind: what, url: data.request.uris[0]!, status: data.httpResponseCode, bitrateKbps: bitrate(data) || undefined },
      { start: 0, end: 0 },
    );
  });
}
