/** Tracking events of VAST, for pages with an ad player of their own, and of VMAP for breaks. */

import type { PlayerError } from '../wire/event.ts';
import { createSlot, type AdMonitor, type Slot, type SlotAd } from './slot.ts';

/** A tracking event that says something of the view; others (mute, clicks, …) change nothing. */
export type VastEvent =
  | 'request' | 'response' | 'loaded' | 'breakStart' | 'breakEnd' | 'impression' | 'creativeView' | 'start'
  | 'firstQuartile' | 'midpoint' | 'thirdQuartile' | 'complete' | 'skip' | 'close' | 'closeLinear'
  | 'pause' | 'resume' | 'error'; // prettier-ignore

/** Tells an event of an ad. `error`: its VAST code (303) as a number, or more of it. */
export type TellVast = (event: VastEvent | (string & {}), ad?: SlotAd, error?: number | PlayerError) => void;

/**
 * Returns a function that takes VAST tracking events as the ad player fires them. A break begins and
 * ends with `breakStart` and `breakEnd`, else with the first and last ad where `podCount` is told,
 * else each ad is a break.
 */
export function vastEvents(monitor: AdMonitor): TellVast {
  const slot = createSlot(monitor);
  return (event, ad, error) => {
    if (event === 'error') {
      slot.error(typeof error === 'number' ? { type: 'adError', code: `${error}` } : { type: 'adError', ...error }, ad);
    } else if (ACTS.hasOwnProperty(event)) ACTS[event as Exclude<VastEvent, 'error'>](slot, ad);
  };
}

type Act = (slot: Slot, ad?: SlotAd) => void;

const begins: Act = (slot, ad) => slot.start(ad);
const closes: Act = (slot, ad) => slot.end('AD_SKIP', ad);

const ACTS: Record<Exclude<VastEvent, 'error'>, Act> = {
  request: (slot) => slot.request(),
  response: (slot) => slot.response(),
  loaded: (slot) => slot.response(),
  breakStart: (slot, ad) => slot.breakStart(ad),
  breakEnd: (slot) => slot.breakEnd(),
  impression: begins,
  creativeView: begins,
  start: begins,
  firstQuartile: (slot, ad) => slot.progress('AD_FIRST_QUARTILE', ad),
  midpoint: (slot, ad) => slot.progress('AD_MIDPOINT', ad),
  thirdQuartile: (slot, ad) => slot.progress('AD_THIRD_QUARTILE', ad),
  complete: (slot, ad) => slot.end('AD_END', ad),
  skip: closes,
  close: closes,
  closeLinear: closes,
  pause: (slot, ad) => slot.progress('AD_PAUSE', ad),
  resume: (slot, ad) => slot.progress('AD_RESUME', ad),
};
