/**
 * What hls.js fetches: each request that is over, with its times, its host and CDN. A part that `hls.ts`
 * fetches when it begins; it shares no code with it, so that it is one file.
 */

import type { Fields, Host } from '../types.ts';
import type { Request } from '../wire/event.ts';
import type { Hls } from './hls.ts';
import { type Answer as Headers, type Partly, requests } from './request.ts';

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
export interface Data {
  url?: string;
  level: number;
  frag?: Frag;
  part?: Part | null;
  stats?: Stats;
  networkDetails?: Answer | null;
  details: { live: boolean; totalduration: number; partList?: unknown; url: string };
}

export interface Failure extends Omit<Data, 'details'> {
  type: string;
  details: string;
  fatal: boolean;
  error?: Error;
  response?: { code?: number };
  context?: { url: string };
}

/** Takes what an event said, and when it came. */
type Heard = (data: Data, at: number) => void;

/** Returns what takes each event that tells of requests. */
export function fetches(host: Host, hls: Hls): Record<string, Heard> {
  const tell = requests(host);
  const told = new WeakSet<Stats>();
  let asked = 0;
  let key: string | undefined;
  /** How long the first key took; goes out once. */
  let timed: Fields = {};
  host.sample((fields) => {
    Object.assign(fields, timed);
    timed = {};
  });
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
  const playlist: Heard = ({ url, details, stats, networkDetails }) =>
    fetched({ kind: 'manifest', url: url ?? details.url }, stats!, networkDetails);
  return {
    hlsManifestLoaded: playlist,
    hlsLevelLoaded: playlist,
    hlsAudioTrackLoaded: playlist,
    hlsSubtitleTrackLoaded: playlist,
    hlsFragLoaded({ frag, part, networkDetails }) {
      // No event tells of the part that says how to decode; it came before its first segment.
      const init = frag!.initSegment;
      if (init?.stats.loading.end) media(init, init);
      media(frag!, part ?? frag!, networkDetails);
    },
    hlsKeyLoading: (_, at) => (asked = at),
    hlsKeyLoaded({ frag }, end) {
      const { uri } = frag!.decryptdata!;
      if (uri === key) return;
      if (!key) timed = { drmMs: end - asked };
      tell({ kind: 'key', url: (key = uri) }, { start: asked, end });
    },
    hlsError(data, end) {
      const { details, frag, part, stats, networkDetails, response, context } = data as unknown as Failure;
      if (!/Load(Error|TimeOut)$/.test(details)) return;
      const status = response?.code ?? 0;
      if (/^key/.test(details)) tell({ kind: 'key', url: frag!.decryptdata!.uri, status }, { start: asked, end });
      else if (frag) media(frag, part ?? frag, networkDetails, { status });
      else if (stats) fetched({ kind: 'manifest', url: context!.url, status }, stats, networkDetails);
    },
  };
}
