/** dash.js: renditions, requests, errors, licences, live latency. The element is `html5`'s. */

import { merge } from '../core/view.ts';
import { sources } from '../media/source.ts';
import { once } from '../media/surroundings.ts';
import type { Adapter, Emitter, Host } from '../types.ts';
import { fail } from './failure.ts';
import { renditions } from './rendition.ts';
import { requests } from './request.ts';

/** What is used of dash.js (5.x). Throughput in kbit/s, times in s. */
export interface Dash extends Emitter {
  getVersion(): string;
  isReady(): boolean;
  isDynamic(): boolean;
  duration(): number;
  getSource(): unknown;
  getAverageThroughput(type: 'video' | 'audio'): number;
  getCurrentLiveLatency(): number;
}

interface Representation {
  bitrateInKbit: number;
  width: number;
  height: number;
  codecs: string | null;
  frameRate: number;
}

/** A request as dash.js keeps it (ISO 23009-1 D.4.3). */
interface HttpRequest {
  type: string;
  url: string;
  actualurl: string | null;
  responsecode: number | null;
  trequest: Date | null;
  tresponse: Date | null;
  /** Bytes by time; missing for a redirect. */
  trace?: { b: number[] }[];
  _tfinish: Date | null;
  _stream: string;
  _mediaduration: number | null;
  _responseHeaders: string | null;
  _serviceLocation: string | null;
}

/** What the events say; each has its share of it. */
interface Data {
  mediaType: string;
  newRepresentation: Representation;
  metric: string;
  value: HttpRequest;
  request: { url: string; representation?: Representation };
  error: { code: number; message: string };
  url: string;
}

/** Errors of single downloads: it plays on while something is in the buffer. */
const DOWNLOADS = [26, 27, 28, 29];
const KINDS: Record<string, string> = {
  MPD: 'manifest',
  InitializationSegment: 'init',
  IndexSegment: 'init',
  license: 'key',
  text: 'subtitle',
};

/** Measures what dash.js does: `createMonitor(config, [fed(video), dashAdapter(player, video)])`. */
export function dashAdapter(player: Dash, video: HTMLMediaElement): Adapter {
  return (host) => {
    const on = (name: string, heard: (data: Data) => void) => host.listen(player, name, heard);
    const loading = sources(host);
    const show = renditions(host, video as HTMLVideoElement);
    let since = host.now();
    let ready = false;
    host.remember({ playerName: 'dash.js', playerVersion: player.getVersion() });
    on('manifestLoadingStarted', () => {
      const source = player.getSource();
      if (typeof source === 'string') loading(new URL(source, document.baseURI).href);
    });
    on('sourceInitialized', () => {
      since = host.now();
      ready = false;
    });
    on('streamInitialized', () => {
      const live = player.isDynamic();
      host.remember(live ? { streamType: 'live' } : { streamType: 'vod', durationSec: player.duration() });
      if (!ready) host.take('PLAYER_READY', { playerStartupMs: host.now() - since });
      ready = true;
    });
    on('qualityChangeRendered', ({ mediaType, newRepresentation }) => {
      if (mediaType !== 'video') return;
      const { bitrateInKbit, width, height, codecs, frameRate } = newRepresentation;
      const bitrateKbps = Math.round(bitrateInKbit);
      show({ bitrateKbps, width, height, codec: codecs ?? '', fps: frameRate });
    });
    on('error', ({ error: { code, message } }) => {
      const fatal = !DOWNLOADS.includes(code) || video.readyState < 3;
      fail(host, { type: 'dash.js', code: `${code}`, message, fatal });
    });
    fetches(host, on);
    host.sample((fields) => {
      if (!player.isReady()) return;
      merge(fields, { player: { throughputKbps: Math.round(player.getAverageThroughput('video')) || 0 } });
      const behind = player.isDynamic() && player.getCurrentLiveLatency();
      if (behind) fields.liveLatencyMs = Math.round(behind * 1e3);
    });
  };
}

/** Tells each request that was answered. One that dash.js cancels looks like one without an answer. */
function fetches(host: Host, on: (name: string, heard: (data: Data) => void) => void): void {
  const tell = requests(host);
  const bitrates = new Map<string, number>();
  let key: { url: string; start: number } | undefined;
  on('fragmentLoadingStarted', ({ request: { url, representation } }) => {
    if (representation) bitrates.set(url, Math.round(representation.bitrateInKbit));
  });
  on('metricAdded', ({ metric, value }) => {
    if (metric !== 'HttpList' || !value.trace || !value.responsecode) return;
    const { type, url, _stream, _mediaduration, _serviceLocation } = value;
    const isMedia = type === 'MediaSegment';
    tell(
      {
        kind: isMedia ? (KINDS[_stream] ?? _stream) : (KINDS[type] ?? 'other'),
        url: value.actualurl || url,
        status: value.responsecode,
        bytes: value.trace.reduce((sum, { b }) => sum + (b[0] ?? 0), 0),
        bitrateKbps: bitrates.get(url),
        objectMs: isMedia && _mediaduration ? Math.round(_mediaduration * 1e3) : undefined,
        // Without a name in the manifest the address stands for it.
        cdn: _serviceLocation && !_serviceLocation.includes('/') ? _serviceLocation : undefined,
      },
      { start: +(value.trequest ?? 0), first: +(value.tresponse ?? 0), end: +(value._tfinish ?? 0) },
      { getAllResponseHeaders: () => value._responseHeaders ?? '' },
    );
    bitrates.delete(url);
  });
  on('public_licenseRequestSending', ({ url }) => (key ??= { url, start: host.now() }));
  on('public_licenseRequestComplete', ({ error }) => {
    if (key) tell({ kind: 'key', url: key.url, status: error ? 0 : 200 }, { start: key.start, end: host.now() });
  });
  on('public_keySessionUpdated', () => {
    if (key?.url) once(host, { drmMs: host.now() - key.start });
  });
}
