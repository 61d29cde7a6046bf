/** What the viewer agreed to. */

import type { Config, Consent } from '../types.ts';

/** What a browser says of its user's wish not to be tracked. */
interface Wishes {
  globalPrivacyControl?: boolean;
  doNotTrack?: string | null;
}

/**
 * Returns what may be kept and sent. The page's word counts, but a browser that sends Global Privacy
 * Control or Do Not Track is never asked to keep an id, unless `honourGpc` is false.
 */
export function agreed(config: Config, asked: Consent | undefined = config.consent): Consent {
  const { globalPrivacyControl, doNotTrack } = navigator as Wishes;
  const refused = config.honourGpc !== false && (globalPrivacyControl || doNotTrack === '1');
  return refused && asked !== 'none' ? 'cookieless' : asked || 'full';
}
