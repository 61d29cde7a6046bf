/** Ads of Video.js: the events of `videojs-contrib-ads`, which its ad plugins (IMA and others) raise. */

import { createSlot, type AdMonitor, type Slot, type SlotAd } from './slot.ts';

/** What is used of a Video.js player with `contrib-ads`. */
export interface ContribPlayer {
  on(type: never, heard: never): unknown;
  off(type: never, heard: never): unknown;
  ads?: unknown;
}

/** What its ad plugins say of the ad that runs. */
interface ContribAd {
  id?: string;
  index?: number;
  duration?: number;
  type?: string;
}

type Act = (slot: Slot, ad: SlotAd | undefined) => void;

const starts: Act = (slot, ad) => slot.start(ad);
const opens: Act = (slot, ad) => slot.breakStart(ad);
const closes: Act = (slot) => slot.breakEnd();

const ACTS: Record<string, Act> = {
  'ads-request': (slot) => slot.request(),
  'ads-load': (slot) => slot.response(),
  'ads-pod-started': opens,
  'ads-pod-ended': closes,
  adstart: opens,
  adend: closes,
  'ads-ad-started': starts,
  'ads-first-quartile': (slot, ad) => slot.progress('AD_FIRST_QUARTILE', ad),
  'ads-midpoint': (slot, ad) => slot.progress('AD_MIDPOINT', ad),
  'ads-third-quartile': (slot, ad) => slot.progress('AD_THIRD_QUARTILE', ad),
  'ads-pause': (slot, ad) => slot.progress('AD_PAUSE', ad),
  'ads-play': (slot, ad) => slot.progress('AD_RESUME', ad),
  'ads-ad-ended': (slot, ad) => slot.end('AD_END', ad),
  'ads-ad-skipped': (slot, ad) => slot.end('AD_SKIP', ad),
  aderror: (slot, ad) => slot.error({ type: 'adError' }, ad),
};

/** Tells a monitor of the ads of a Video.js player; returns how to let go. */
export function monitorContribAds(monitor: AdMonitor, player: ContribPlayer): () => void {
  const slot = createSlot(monitor);
  const ears = Object.keys(ACTS).map((type) => {
    const heard = (): void => ACTS[type]!(slot, adOf(player));
    player.on(type as never, heard as never);
    return () => player.off(type as never, heard as never);
  });
  return () => ears.forEach((drop) => drop());
}

function adOf(player: ContribPlayer): SlotAd | undefined {
  const found = (player.ads as { ad?: ContribAd } | undefined)?.ad;
  if (!found) return undefined;
  const told: SlotAd = {};
  if (found.id) told.id = found.id;
  if (found.type) told.position = found.type.toLowerCase();
  if (found.index !== undefined) told.podIndex = found.index;
  if (found.duration) told.durationSec = found.duration;
  return told;
}
