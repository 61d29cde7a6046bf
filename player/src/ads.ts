/** Tells a monitor of ads: those of IMA, and VAST events of an ad player of the page's own. */

export { monitorContribAds, type ContribPlayer } from './ads/contrib.ts';
export { monitorIma, type ImaAds, type ImaSource } from './ads/ima.ts';
export { vastEvents, type TellVast, type VastEvent } from './ads/vast.ts';
export type { AdMonitor, SlotAd } from './ads/slot.ts';
