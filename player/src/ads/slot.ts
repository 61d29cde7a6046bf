/** What ad players tell, put in order: one start an ad, breaks opened and closed where nobody says so. */

import type { AdKind } from '../types.ts';
import type { Ad, PlayerError } from '../wire/event.ts';

/** What of a monitor takes ads. */
export interface AdMonitor {
  ad(kind: AdKind, ad?: Ad, error?: PlayerError): void;
}

/** An ad, and how many there are in its break, where that is known. */
export interface SlotAd extends Ad {
  /** Ads in the break; with it the break is closed after the last one. */
  podCount?: number;
}

/** Takes the acts of one ad player. */
export interface Slot {
  request(): void;
  response(): void;
  breakStart(ad?: SlotAd): void;
  breakEnd(): void;
  /** The ad is on screen; players say so up to three times. */
  start(ad?: SlotAd): void;
  /** A quartile, a pause or a resume of the ad that runs. */
  progress(kind: AdKind, ad?: SlotAd): void;
  /** The ad ran to its end, or was skipped or closed. */
  end(kind: 'AD_END' | 'AD_SKIP', ad?: SlotAd): void;
  error(error: PlayerError, ad?: SlotAd): void;
}

/** Makes the slot of a monitor. */
export function createSlot(monitor: AdMonitor): Slot {
  return new OneSlot(monitor);
}

class OneSlot implements Slot {
  private readonly _monitor: AdMonitor;
  private _inBreak = false;
  /** The break was opened by us: nobody else will close it. */
  private _derived = false;
  private _running: SlotAd | undefined;
  private _answered = true;

  constructor(monitor: AdMonitor) {
    this._monitor = monitor;
  }

  request(): void {
    this._answered = false;
    this._tell('AD_REQUEST');
  }

  response(): void {
    if (!this._answered) this._tell('AD_RESPONSE');
    this._answered = true;
  }

  breakStart(ad?: SlotAd): void {
    if (!this._inBreak) this._tell('AD_BREAK_START', ad);
    this._inBreak = true;
    this._derived = false;
  }

  breakEnd(): void {
    this._running = undefined;
    if (this._inBreak) this._tell('AD_BREAK_END');
    this._inBreak = this._derived = false;
  }

  start(ad: SlotAd = {}): void {
    const running = this._running;
    if (running && running.id === ad.id && running.podIndex === ad.podIndex) return;
    this.response();
    if (!this._inBreak && ad.podCount) {
      this.breakStart(ad);
      this._derived = true;
    }
    this._running = ad;
    this._tell('AD_START', ad);
  }

  progress(kind: AdKind, ad?: SlotAd): void {
    if (!this._running) this.start(ad); // the start was not told
    this._tell(kind, ad ?? this._running);
  }

  end(kind: 'AD_END' | 'AD_SKIP', ad?: SlotAd): void {
    const ended = this._running;
    if (!ended) return; // skipped ads are told to have ended, too
    this._running = undefined;
    this._tell(kind, ad ?? ended);
    this._closeAfter(ended);
  }

  error(error: PlayerError, ad?: SlotAd): void {
    const ended = ad ?? this._running;
    this._running = undefined;
    this._answered = true;
    this._tell('AD_ERROR', ended, error);
    if (ended) this._closeAfter(ended);
  }

  private _closeAfter(ad: SlotAd): void {
    if (this._derived && (ad.podIndex ?? 0) + 1 >= (ad.podCount ?? 1)) this.breakEnd();
  }

  private _tell(kind: AdKind, slotAd?: SlotAd, error?: PlayerError): void {
    let ad: Ad | undefined;
    if (slotAd) {
      const { podCount: _count, ...told } = slotAd;
      ad = told;
    }
    if (error) this._monitor.ad(kind, ad, error);
    else this._monitor.ad(kind, ad);
  }
}
