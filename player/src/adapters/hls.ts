/** hls.js: renditions, requests, errors, keys, live latency. The element is `html5`'s. */

import { merge } from '../core/view.ts';
import { sources } from '../media/source.ts';
import type { Adapter, Emitter } from '../types.ts';
import { fail } from './failure.ts';
import type { Data, Failure } from './hls_requests.ts';
import { renditions } from './rendition.ts';

/** What is used of hls.js; any version since 1.0 has it. Bitrates in bit/s, times in s. */
export interface Hls extends Emitter {
  readonly levels: readonly HlsLevel[];
  readonly audioTracks: readonly unknown[];
  readonly currentLevel: number;
  readonly bandwidthEstimate: number;
  readonly latency: number;
  readonly url?: string | null;
}

/** A rendition. */
export interface HlsLevel {
  readonly bitrate: number;
  readonly width: number;
  readonly height: number;
  readonly frameRate?: number;
  readonly videoCodec?: string | undefined;
  /** Content steering's name of the CDN; `.` if there is none. */
  readonly pathwayId?: string;
}

type On = (name: string, heard: (data: Data) => unknown) => void;

/** Events that tell of requests. */
const OF_REQUESTS =
  'hlsManifestLoaded hlsLevelLoaded hlsAudioTrackLoaded hlsSubtitleTrackLoaded hlsFragLoaded hlsKeyLoading hlsKeyLoaded hlsError';

/** Measures what hls.js does: `createMonitor(config, [fed(video), hlsAdapter(hls, video)])`. */
export function hlsAdapter(hls: Hls, video: HTMLMediaElement): Adapter {
  return (host) => {
    const on: On = (name, heard) => host.listen(hls, 'hls' + name, (_: string, data: Data) => heard(data));
    const loading = sources(host, hls.url);
    const show = renditions(host, video as HTMLVideoElement);
    const rendition = (index: number) => {
      const level = hls.levels[index];
      if (!level) return;
      const { bitrate, width, height, videoCodec: codec, frameRate: fps } = level;
      show({ bitrateKbps: Math.round(bitrate / 1e3), width, height, codec, fps });
    };
    let since = host.now();
    host.remember({ playerName: 'hls.js', playerVersion: (hls.constructor as { version?: string }).version! });
    on('ManifestLoading', ({ url }) => {
      since = host.now();
      loading(new URL(url!, document.baseURI).href);
    });
    on('ManifestParsed', () => host.take('PLAYER_READY', { playerStartupMs: host.now() - since }));
    let live: boolean | undefined;
    on('LevelLoaded', ({ details }) => {
      live = details.live;
      host.remember(
        live
          ? { streamType: details.partList ? 'll-live' : 'live' }
          : { streamType: 'vod', durationSec: details.totalduration },
      );
    });
    on('LevelSwitched', ({ level }) => rendition(level));
    on('Destroying', () => host.take('STOP', {}, video.currentTime));
    on('Error', (data) => {
      const { type, details, fatal, error, response } = data as unknown as Failure;
      if (details === 'aborted') return; // a seek, another rendition: nobody's fault
      const status = response?.code;
      fail(host, { type, details, fatal, code: status ? `${status}` : undefined, message: error?.message }, status);
    });
    // Requests are told by a part of its own that comes while the first are on their way.
    const part = host.guard(() => import('./hls_requests.ts').then(({ fetches }) => fetches(host, hls)))();
    host.listen(hls, OF_REQUESTS, async (name: string, data: Data) => {
      const at = host.now();
      (await part)?.[name]!(data, at);
    });
    rendition(hls.currentLevel);
    host.sample((fields) => {
      merge(fields, { player: { throughputKbps: Math.round(hls.bandwidthEstimate / 1e3) || 0 } });
      if (live) fields.liveLatencyMs = Math.round(hls.latency * 1e3);
    });
  };
}

