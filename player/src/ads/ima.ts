/** Ads of the IMA SDK for HTML5 (`google.ima`), by the shapes of its objects: nothing of it is loaded. */

import type { AdKind } from '../types.ts';
import type { PlayerError } from '../wire/event.ts';
import { createSlot, type AdMonitor, type Slot, type SlotAd } from './slot.ts';

/** What raises events: an `AdsManager` or an `AdsLoader`. */
export interface ImaSource {
  addEventListener(type: never, heard: never, ...more: never[]): void;
  removeEventListener(type: never, heard: never, ...more: never[]): void;
}

/** Ads of one page. */
export interface ImaAds {
  /** Call it where the page calls `adsLoader.requestAds`: the wait for ads begins. */
  request(): void;
  /** Listens to nothing more. */
  stop(): void;
}

interface ImaPod {
  getAdPosition?(): number;
  getTotalAds?(): number;
  getTimeOffset?(): number;
}

interface ImaAd {
  getAdId?(): string;
  getDuration?(): number;
  getAdPodInfo?(): ImaPod | null;
}

interface ImaError {
  getErrorCode?(): number;
  getVastErrorCode?(): number;
  getMessage?(): string;
}

interface ImaEvent {
  getAd?(): ImaAd | null;
  getAdData?(): { adError?: ImaError } | null;
  getError?(): ImaError;
}

type Act = (slot: Slot, ad: SlotAd | undefined, event: ImaEvent) => void;

const begins: Act = (slot, ad) => slot.start(ad);
const progress = (kind: AdKind): Act => (slot, ad) => slot.progress(kind, ad);
const ends: Act = (slot, ad) => slot.end('AD_END', ad);
const skips: Act = (slot, ad) => slot.end('AD_SKIP', ad);

/** By the names of `google.ima.AdEvent.Type` and `AdErrorEvent.Type`, and as older versions had them. */
const OF_MANAGER: Record<string, Act> = {
  loaded: (slot) => slot.response(),
  adBreakReady: (slot) => slot.response(),
  contentPauseRequested: (slot, ad) => slot.breakStart(ad),
  contentResumeRequested: (slot) => slot.breakEnd(),
  impression: begins,
  start: begins,
  started: begins,
  firstQuartile: progress('AD_FIRST_QUARTILE'),
  midpoint: progress('AD_MIDPOINT'),
  thirdQuartile: progress('AD_THIRD_QUARTILE'),
  pause: progress('AD_PAUSE'),
  paused: progress('AD_PAUSE'),
  resume: progress('AD_RESUME'),
  resumed: progress('AD_RESUME'),
  complete: ends,
  skip: skips,
  skipped: skips,
  userClose: skips,
  allAdsCompleted: (slot) => slot.breakEnd(),
  log: (slot, ad, event) => {
    const error = event.getAdData?.()?.adError; // an ad of a pod that failed; the others go on
    if (error) slot.error(errorOf(error), ad);
  },
  // The manager is done with: the content plays on.
  adError: (slot, ad, event) => {
    slot.error(errorOf(event.getError?.()), ad);
    slot.breakEnd();
  },
};

const OF_LOADER: Record<string, Act> = {
  adsManagerLoaded: (slot) => slot.response(),
  adError: (slot, _, event) => slot.error(errorOf(event.getError?.())),
};

/**
 * Tells a monitor of the ads of IMA. Call it in the page's `adsManagerLoaded`, or give it the loader,
 * too: then the answers and the errors of requests are told, and `request` times them.
 */
export function monitorIma(monitor: AdMonitor, manager: ImaSource | null, loader?: ImaSource): ImaAds & {
  /** The manager that the loader made. */
  manager(manager: ImaSource): void;
} {
  const slot = createSlot(monitor);
  const drops: (() => void)[] = [];
  if (loader) drops.push(listen(loader, OF_LOADER, slot));
  const watch = (one: ImaSource): void => {
    slot.response();
    drops.push(listen(one, OF_MANAGER, slot));
  };
  if (manager) watch(manager);
  return {
    manager: watch,
    request: () => slot.request(),
    stop: () => drops.splice(0).forEach((drop) => drop()),
  };
}

function listen(source: ImaSource, acts: Record<string, Act>, slot: Slot): () => void {
  const ears = Object.keys(acts).map((type) => {
    const heard = (event: ImaEvent): void => {
      try {
        acts[type]!(slot, adOf(event), event);
      } catch {
        // an object of IMA's that is not as expected: the page's ads must not suffer
      }
    };
    source.addEventListener(type as never, heard as never);
    return () => source.removeEventListener(type as never, heard as never);
  });
  return () => ears.forEach((drop) => drop());
}

function adOf(event: ImaEvent): SlotAd | undefined {
  const ad = event.getAd?.();
  if (!ad) return undefined;
  const pod = ad.getAdPodInfo?.();
  const offset = pod?.getTimeOffset?.();
  const place = pod?.getAdPosition?.();
  const told: SlotAd = {};
  const id = ad.getAdId?.();
  const durationSec = ad.getDuration?.();
  if (id) told.id = id;
  if (durationSec !== undefined && durationSec > 0) told.durationSec = durationSec;
  if (offset !== undefined) told.position = offset === 0 ? 'preroll' : offset < 0 ? 'postroll' : 'midroll';
  if (place) told.podIndex = place - 1;
  const count = pod?.getTotalAds?.();
  if (count) told.podCount = count;
  return told;
}

function errorOf(error: ImaError | undefined): PlayerError {
  const vast = error?.getVastErrorCode?.();
  const code = vast && vast !== UNDEFINED_VAST ? vast : error?.getErrorCode?.();
  const told: PlayerError = { type: 'adError' };
  if (code !== undefined) told.code = `${code}`;
  const message = error?.getMessage?.();
  if (message) told.message = message;
  return told;
}

/** What IMA says where VAST had no code of its own. */
const UNDEFINED_VAST = 900;
