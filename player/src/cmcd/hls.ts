/** CMCD of hls.js (1.7 and later for events): its own controller reports, our relay sends. */

import { settle, type CmcdOptions, type Settled, type StopCmcd } from './options.ts';
import { createRelay, type Relay, type Rendition } from './relay.ts';

/** What is used of an hls.js instance. */
export interface CmcdHls {
  readonly config: object;
  readonly levels: readonly { readonly bitrate: number; readonly height: number }[];
  readonly media: HTMLMediaElement | null;
  readonly url: string | null;
  on(type: never, heard: never): unknown;
  off(type: never, heard: never): unknown;
}

/** What is used of its settings. */
interface HlsSettings {
  cmcd?: HlsCmcd | undefined;
  cmcdController?: new (hls: CmcdHls) => { destroy(): void };
}

interface HlsCmcd {
  sessionId?: string;
  contentId?: string | undefined;
  version?: number;
  useHeaders?: boolean;
  includeKeys?: string[];
  eventTargets?: { url: string; events: string[]; interval: number; batchSize: number }[];
  loader?(request: { body?: unknown }): Promise<{ status: number }>;
}

const MANIFEST_LOADING = 'hlsManifestLoading';
const MEDIA_ATTACHING = 'hlsMediaAttaching';
const LEVEL_SWITCHED = 'hlsLevelSwitched';
const DESTROYING = 'hlsDestroying';
const ERROR = 'hlsError';

/**
 * Has hls.js report CMCD. Call it after `new Hls()` and after `monitorHls`, if there is one, and
 * before `loadSource`: the reports begin with the next source that is loaded.
 */
export function configureHls(hls: CmcdHls, options: CmcdOptions): StopCmcd {
  const settled = settle(options);
  const config = hls.config as HlsSettings;
  const Controller = config.cmcdController;
  if (!Controller) {
    settled.heard('This build of hls.js has no CMCD (hls.light has none); take the full one.');
    return () => {};
  }
  if (hls.url) settled.heard('CMCD begins with the next source: configureHls was called after loadSource.');
  const relay = settled.target ? createRelay(settled, () => renditionsOf(hls)) : undefined;
  const drop = listen(hls, settled, relay);
  const before = config.cmcd;
  const cmcd = before ?? {};
  Object.defineProperties(cmcd, Object.getOwnPropertyDescriptors(cmcdOf(settled, relay)));
  config.cmcd = cmcd;
  // A controller made with the player listens already; otherwise it is made here, behind our ear.
  const controller = before ? undefined : new Controller(hls);
  let stopped = false;
  const stop = (): void => {
    if (stopped) return;
    stopped = true;
    controller?.destroy();
    relay?.close();
    drop();
  };
  hls.on(DESTROYING as never, stop as never);
  return stop;
}

function renditionsOf(hls: CmcdHls): Rendition[] {
  return hls.levels.map(({ bitrate, height }) => ({ height, kbps: bitrate / 1000 }));
}

function cmcdOf(settled: Settled, relay: Relay | undefined): HlsCmcd {
  const cmcd: HlsCmcd = {
    version: settled.requestVersion,
    useHeaders: settled.requests === 'header',
  };
  // A source's reporter reads both as it begins.
  Object.defineProperties(cmcd, {
    sessionId: { configurable: true, enumerable: true, get: () => settled.sid() },
    contentId: { configurable: true, enumerable: true, get: () => settled.contentId() },
  });
  if (!settled.requests) cmcd.includeKeys = [];
  if (relay) {
    const { target: url, events, intervalS: interval } = settled;
    cmcd.eventTargets = [{ url, events, interval, batchSize: 1 }];
    cmcd.loader = async ({ body }) => {
      relay.take(`${body}`);
      return { status: 204 };
    };
  }
  return cmcd;
}

function listen(hls: CmcdHls, settled: Settled, relay: Relay | undefined): () => void {
  const ears: [string, (...args: never[]) => void][] = [
    [MANIFEST_LOADING, () => (relay ? relay.source() : settled.sid(true))],
  ];
  if (relay) {
    ears.push(
      [MEDIA_ATTACHING, (_: never, data: { media: HTMLMediaElement }) => relay.watch(data.media)],
      [LEVEL_SWITCHED, (_: never, data: { level: number }) =>
        relay.shows((hls.levels[data.level]?.bitrate ?? 0) / 1000)],
      [ERROR, (_: never, data: { details: string; fatal: boolean }) => relay.fault(data.details, data.fatal)],
    ); // prettier-ignore
    relay.watch(hls.media);
  }
  ears.forEach(([type, heard]) => hls.on(type as never, heard as never));
  return () => ears.forEach(([type, heard]) => hls.off(type as never, heard as never));
}
