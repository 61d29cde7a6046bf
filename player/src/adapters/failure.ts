/** What a player's library calls an error, as the server knows errors. */

import type { Host } from '../types.ts';
import type { PlayerError } from '../wire/event.ts';
import type { Partly } from './request.ts';

/** Tells an error: fatal ones end the view unless it plays on, the others are warnings. */
export function fail(host: Host, error: Partly<PlayerError>, status?: number): void {
  const category = /^4(0[123]|51)$/.test(`${status}`)
    ? 'business' // not paid, not logged in, not in this country
    : /pars|codec|empty/i.test(error.type! + error.details)
      ? 'content'
      : 'technical';
  // What an address in the message says after its `?` are parameters: they hold tokens.
  const message = error.message?.replace(/\?\S*/g, '').slice(0, 200);
  host.take('PLAYER_ERROR', { error: { category, ...error, message } as PlayerError });
}
