/** CMSD (CTA-5006): what the servers on the way of a response say of it in its headers. */

import type { Hop } from '../wire/event.ts';

const KEYS: Record<string, keyof Hop> = {
  n: 'name',
  etp: 'throughputKbps',
  mb: 'maxBitrateKbps',
  rtt: 'rttMs',
  rd: 'delayMs',
  du: 'duress',
};

/**
 * Returns the hops of a `CMSD-Dynamic` header, nearest the origin first: a list of members, each named
 * by itself (`"CDN-A";etp=96`) or by the key `n`. What cannot be read is left out.
 */
export function hopsOf(header: string): Hop[] {
  const hops: Hop[] = [];
  const part = /(^|[,;])\s*(?:([a-z]+)=)?(?:"((?:\\.|[^"\\])*)"|([^",;\s]*))/g;
  for (const [, sign, key, quoted, raw] of header.matchAll(part)) {
    const bare = sign === ';' ? raw : 'n';
    const name = KEYS[key ?? bare!];
    if (sign !== ';') hops.push({});
    const value = quoted?.replace(/\\(.)/g, '$1') ?? raw;
    if (name && value) {
      const read = name === 'name' ? value : name === 'duress' ? raw !== '?0' : +value;
      Object.assign(hops[hops.length - 1]!, { [name]: read });
    }
  }
  return hops.filter((hop) => Object.keys(hop).length);
}
