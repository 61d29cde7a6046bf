/** hls.js: renditions, requests, errors, keys, live latency. The element is `html5`'s. */

import { merge } from '../core/view.ts';
import { sources } from '../media/source.ts';
import { once } from '../media/surroundings.ts';
import type { Adapter, Emitter, Host } from '../types.ts';
import type { Request } from '../wire/event.ts';
import { fail } from './failure.ts';
import { renditions } from './rendition.ts';
import { type Answer as Headers, type Partly, requests } from './request.ts';

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

/** An XMLHttpRequest, or what `fetch` gave. */
interface Answer extends Headers {
  responseURL?: string;
}

interface Stats {
  loaded: number;
  loading: { start: number; first: number; end: number };
}

/** A part of a fragment (low latency), or the fragment. */
interface Part {
  url: string;
  duration: number;
  stats: Stats;
}

interface Frag extends Part {
  sn: number | 'initSegment';
  type: string;
  level: number;
  initSegment?: Frag | null;
  decryptdata?: { uri?: string } | null;
}

/** What the events say; each has its share of it. */
interface Data {
  url?: string;
  level: number;
  frag?: Frag;
  part?: Part | null;
  stats?: Stats;
  networkDetails?: Answer | null;
  details: { live: boolean; totalduration: number; partList?: unknown; url: string };
}

interface Failure extends Omit<Data, 'details'> {
  type: string;
  details: string;
  fatal: boolean;
  error?: Error;
  response?: { code?: number };
  context?: { url: string };
}

type On = (name: string, heard: (data: Data) => void) => void;

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
    let live = false;
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
    fetches(host, hls, on);
    rendition(hls.currentLevel);
    host.sample((fields) => {
      merge(fields, { player: { throughputKbps: Math.round(hls.bandwidthEstimate / 1e3) || 0 } });
      if (live) fields.liveLatencyMs = Math.round(hls.latency * 1e3);
    });
  };
}

/** Tells each request that is over, and each error. */
function fetches(host: Host, hls: Hls, on: On): void {
  const tell = requests(host);
  const told = new WeakSet<Stats>();
  let asked = 0;
  let key: string | undefined;
  const fetched = (request: Partly<Request>, stats: Stats, answer?: Answer | null) => {
    if (told.has(stats)) return;
    told.add(stats);
    request.url = answer?.responseURL || request.url;
    tell({ bytes: stats.loaded, ...request }, stats.loading, answer);
  };
  const media = (frag: Frag, { url, duration, stats }: Part, answer?: Answer | null, failed?: object) => {
    const { sn, type, level } = frag;
    const main = type === 'main' ? hls.levels[level] : undefined;
    const request = {
      kind: sn === 'initSegment' ? 'init' : main ? (hls.audioTracks.length ? 'video' : 'muxed') : type,
      url,
      bitrateKbps: main && Math.round(main.bitrate / 1e3),
      objectMs: Math.round(duration * 1e3) || undefined,
      cdn: /^\.?$/.test(main?.pathwayId ?? '') ? undefined : main?.pathwayId,
      ...failed,
    };
    fetched(request, stats, answer);
  };
  on('FragLoaded', ({ frag, part, networkDetails }) => {
    // No event tells of the part that says how to decode; it came before its first segment.
    const init = frag!.initSegment;
    if (init?.stats.loading.end) media(init, init);
    media(frag!, part ?? frag!, networkDetails);
  });
  for (const name of ['Manifest', 'Level', 'AudioTrack', 'SubtitleTrack']) {
    on(name + 'Loaded', ({ url, details, stats, networkDetails }) =>
      fetched({ kind: 'manifest', url: url ?? details.url }, stats!, networkDetails),
    );
  }
  on('KeyLoading', () => (asked = host.now()));
  on('KeyLoaded', ({ frag }) => {
    const { uri } = frag!.decryptdata!;
    if (uri === key) return;
    const end = host.now();
    if (!key) once(host, { drmMs: end - asked });
    tell({ kind: 'key', url: (key = uri) }, { start: asked, end });
  });
  on('Error', (data) => {
    const { type, details, fatal, error, frag, part, stats, networkDetails, response, context } =
      data as unknown as Failure;
    if (details === 'aborted') return; // a seek, another rendition: nobody's fault
    const status = response?.code ?? 0;
    if (/Load(Error|TimeOut)$/.test(details)) {
      const timing = { start: asked, end: host.now() };
      if (/^key/.test(details)) tell({ kind: 'key', url: frag!.decryptdata!.uri, status }, timing);
      else if (frag) media(frag, part ?? frag, networkDetails, { status });
      else if (stats) fetched({ kind: 'manifest', url: context!.url, status }, stats, networkDetails);
    }
    const code = status ? `${status}` : undefined;
    fail(host, { type, details, fatal, code, message: error?.message }, status);
  });
}
