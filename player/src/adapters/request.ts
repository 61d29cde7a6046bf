/** Media requests of a player, as events: of what, from where, how fast. */

import type { Fields, Host } from '../types.ts';
import type { Request } from '../wire/event.ts';

/** What fetched something: an XMLHttpRequest, what `fetch` gave, or headers by their names. */
export interface Answer {
  getAllResponseHeaders?(): string;
  headers?: { get(name: string): string | null };
}

/** Any part may be missing. */
export type Partly<T> = { [name in keyof T]?: T[name] | undefined };

/** Moments of a request, in ms of one clock: asked, the first byte, the last. 0 is none. */
export interface Timing {
  start: number;
  first?: number;
  end: number;
}

/** Takes a request that is over: its `url` as it came from in the end, `status` 0 for no answer. */
export type Tell = (request: Partly<Request>, timing: Timing, answer?: Answer | null) => void;

/** Returns what to call for each request: it becomes a `REQUEST`, another host a `CDN_CHANGE`. */
export function requests(host: Host): Tell {
  let place: string;
  let media: Fields | undefined;
  return (request, { start, first, end }, answer) => {
    const { kind, status = 200, cdn } = request;
    const { hostname, origin, pathname } = new URL(request.url!, document.baseURI);
    if (!hostname) return; // data: and the like
    const played = /video|muxed/.test(kind!) && status > 0 && status < 400;
    if (played && place !== (place = cdn + hostname)) {
      const changed = media;
      host.remember((media = { host: hostname, cdn } as Fields));
      if (changed) host.take('CDN_CHANGE', media);
    }
    if (host.config.requests === false) return;
    const since = (at?: number) => (start && at! > start ? Math.round(at! - start) : undefined);
    host.take('REQUEST', {
      // The view's host is the media's, whatever else is asked for a licence or a playlist.
      ...(!played && media),
      request: {
        ...request,
        cdn: cdn ?? host.config.cdn, // without one, the server takes the first that the header names
        url: origin + pathname, // the parameters hold tokens
        host: hostname,
        status,
        ttfbMs: since(first),
        totalMs: since(end),
        cmsd:
          answer?.headers?.get('cmsd-dynamic') ??
          // A browser complains in the console when asked for a header that it must not show.
          /^cmsd-dynamic: *(.+)/im.exec(answer?.getAllResponseHeaders?.() ?? '')?.[1],
      } as Request,
    });
  };
}
