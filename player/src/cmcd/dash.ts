/** CMCD of dash.js (5.2 and later for events): its own reporter reports, our relay sends. */

import { settle, type CmcdOptions, type Settled, type StopCmcd } from './options.ts';
import { createRelay, type Relay, type Rendition } from './relay.ts';

/** What is used of a dash.js player. */
export interface CmcdDash {
  updateSettings(settings: never): void;
  extend(name: string, extension: object, override: boolean): void;
  on(type: never, heard: never): unknown;
  off(type: never, heard: never): unknown;
  getVideoElement(): HTMLMediaElement;
  getRepresentationsByType(type: 'video'): readonly { height: number; bitrateInKbit: number }[];
  addRequestInterceptor(interceptor: never): void;
  removeRequestInterceptor(interceptor: never): void;
}

interface Load {
  request: { type?: string; body?: unknown };
  success?(): void;
}

interface MediaRequest {
  url: string;
  headers?: Record<string, string>;
}

/** The type of dash.js's own report requests. */
const REPORT = 'CmcdEvent';
const HEADER = 'CMCD-Session';
/**
 * Keys of requests: all of version 1, and what version 2 has besides. Not `msd`: dash.js 5.2 sends it
 * with the first record after the load began, which is before the first picture.
 */
const KEYS_1 = ['br', 'd', 'ot', 'tb', 'bl', 'dl', 'mtp', 'nor', 'nrr', 'su', 'bs', 'rtp', 'cid', 'pr', 'sf', 'sid', 'st', 'v']; // prettier-ignore
const KEYS_2 = ['ab', 'bg', 'bsd', 'ltc', 'pb', 'sn', 'sta', 'tab', 'tpb'];
/** Codes after which nothing can play: the manifest could not be loaded or read. */
const FATAL: ReadonlySet<unknown> = new Set([10, 11, 25, 31, 32]);
const KEYS_EVENT = ['cen', 'cmsdd', 'cmsds', 'e', 'ec', 'h', 'rc', 'ts', 'ttfb', 'ttfbb', 'ttlb', 'url'];

/**
 * Has dash.js report CMCD. Call it after `MediaPlayer().create()` and before a source is given
 * (`attachSource`, or `initialize` with one): dash.js makes its reporter there.
 */
export function configureDash(player: CmcdDash, options: CmcdOptions): StopCmcd {
  const settled = settle(options);
  const relay = settled.target ? createRelay(settled, () => renditionsOf(player)) : undefined;
  if (relay) divert(player, relay);
  player.updateSettings({ streaming: { cmcd: cmcdOf(settled) } } as never);
  const drop = listen(player, settled, relay);
  let stopped = false;
  return () => {
    if (stopped) return;
    stopped = true;
    player.updateSettings({ streaming: { cmcd: { enabled: false, eventTargets: [] } } } as never);
    relay?.close();
    drop();
  };
}

function renditionsOf(player: CmcdDash): Rendition[] {
  try {
    const all = player.getRepresentationsByType('video') || [];
    return all.map(({ height, bitrateInKbit }) => ({ height, kbps: bitrateInKbit }));
  } catch {
    return []; // no source is attached yet
  }
}

function cmcdOf(settled: Settled): object {
  const { target: url, events, intervalS: interval, requests } = settled;
  const version = url ? 2 : settled.requestVersion;
  const keys = version === 2 ? [...KEYS_1.filter((key) => key !== 'nrr'), ...KEYS_2] : KEYS_1;
  return {
    enabled: true,
    applyParametersFromMpd: false,
    version,
    sid: settled.sid(),
    cid: settled.contentId() ?? null,
    mode: requests === 'header' ? 'headers' : 'query', // its types say `header`, which it takes for `query`
    enabledKeys: requests ? keys : [],
    eventTargets: url
      ? [{ enabled: true, url, events, interval, batchSize: 1, enabledKeys: [...keys, ...KEYS_EVENT] }]
      : [],
  };
}

/** Takes the reports from dash.js, which sends what failed again at every report, one by one. */
function divert(player: CmcdDash, relay: Relay): void {
  function Diverted(this: { parent: { load(load: Load): void } }): object {
    const { load } = this.parent;
    return {
      load(wanted: Load) {
        if (wanted?.request?.type !== REPORT) return load(wanted);
        relay.take(`${wanted.request.body}`);
        wanted.success?.();
      },
    };
  }
  player.extend('URLLoader', Diverted, true);
}

function listen(player: CmcdDash, settled: Settled, relay: Relay | undefined): () => void {
  const named = settled.sid();
  let isNew = true;
  const ears: [string, (event: never) => void][] = [
    ['streamTeardownComplete', () => (isNew = true)],
    // Said again whenever the manifest of a live stream is refreshed.
    ['manifestLoadingStarted', () => {
      if (isNew && relay) relay.source();
      else if (isNew) settled.sid(true);
      isNew = false;
      relay?.watch(elementOf(player));
    }],
    ['playbackMetaDataLoaded', () => relay?.watch(elementOf(player))],
    ['qualityChangeRendered', (event: { mediaType: string; newRepresentation?: { bitrateInKbit?: number } }) => {
      if (event.mediaType === 'video') relay?.shows(event.newRepresentation?.bitrateInKbit);
    }],
    ['error', (event: { error?: DashFault }) => relay && tell(relay, event.error)],
  ]; // prettier-ignore
  // dash.js names its requests by the session it was configured with: the one of now takes its place.
  const rename = (request: MediaRequest): Promise<MediaRequest> => {
    const { headers } = request;
    const session = headers?.[HEADER];
    request.url = request.url.split(named).join(settled.sid());
    if (headers && session) headers[HEADER] = session.split(named).join(settled.sid());
    return Promise.resolve(request);
  };
  ears.forEach(([type, heard]) => player.on(type as never, heard as never));
  player.addRequestInterceptor(rename as never);
  return () => {
    ears.forEach(([type, heard]) => player.off(type as never, heard as never));
    player.removeRequestInterceptor(rename as never);
  };
}

interface DashFault {
  code?: unknown;
  data?: { request?: { type?: string } };
}

function tell(relay: Relay, fault: DashFault | undefined): void {
  if (!fault || fault.data?.request?.type === REPORT) return;
  // Of a media element's error dash.js tells itself; after those of the manifest it only stands still.
  relay.fault(`${fault.code ?? ''}`, FATAL.has(fault.code) || undefined);
}

function elementOf(player: CmcdDash): HTMLMediaElement | null {
  try {
    return player.getVideoElement();
  } catch {
    return null; // no element is attached yet
  }
}
