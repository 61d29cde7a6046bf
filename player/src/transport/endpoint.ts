/** Where events go. */

import type { Config } from '../types.ts';

/**
 * Returns the address of the telemetry door: `/telemetry` is added to an endpoint that ends in a
 * slash or has no path.
 *
 * The key goes into the query, for beacons and requests alike: a header of our own would cost a
 * preflight, and a beacon cannot have one. A write key stands in the page's source anyway.
 */
export function addressOf({ endpoint, key }: Config): string {
  const url = endpoint.replace(/^(\w+:\/\/[^/?]+)$|\/$/, '$1/telemetry');
  return key ? url + (url.includes('?') ? '&' : '?') + 'key=' + encodeURIComponent(key) : url;
}
