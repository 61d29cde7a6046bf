/**
 * The state of every screen, in the part of the URL after `#`: deep links, the back button and
 * reloads need nothing else. `#/quality?from=-24h&f=cdn:aurora&metric=startup_time`.
 */

/** Names and values as they stand in the URL; a name may stand several times. */
export type Patch = Record<string, string | readonly string[] | null>;

const SHARED = ['from', 'to', 'f'];
/** These go along from screen to screen. */

function read(): { path: string; params: URLSearchParams } {
  const hash = location.hash.replace(/^#\/?/, '');
  const [path = '', query = ''] = hash.split(/\?(.*)/s);
  return { path: decoded(path) || 'now', params: new URLSearchParams(query) };
}

/** Return a text as it was before it was put into a URL; as it stands where a hand wrote it. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const first = read();
let path = $state(first.path);
let query = $state(first.params.toString());
const params = $derived(new URLSearchParams(query));

addEventListener('hashchange', () => {
  const next = read();
  path = next.path;
  query = next.params.toString();
});

function patched(base: URLSearchParams, patch: Patch): URLSearchParams {
  const next = new URLSearchParams(base);
  for (const [name, value] of Object.entries(patch)) {
    next.delete(name);
    if (value === null || value === '') continue;
    for (const one of typeof value === 'string' ? [value] : value) next.append(name, one);
  }
  return next;
}

function written(screen: string, next: URLSearchParams): string {
  const text = next.toString();
  return `#/${screen.split('/').map(encodeURIComponent).join('/')}${text ? `?${text}` : ''}`;
}

export const address = {
  /** The first part of the path: which screen. */
  get screen(): string {
    return path.split('/')[0] || 'now';
  },
  /** What follows it: `views/abc` is view `abc`. */
  get rest(): string {
    return path.split('/').slice(1).join('/');
  },
  get(name: string, otherwise = ''): string {
    return params.get(name) ?? otherwise;
  },
  all(name: string): string[] {
    return params.getAll(name);
  },
  /** The span asked for, as the API takes it. */
  get span(): { from: string; to: string } {
    return { from: params.get('from') ?? '-24h', to: params.get('to') ?? 'now' };
  },
  /** Filters as the API takes them (`cdn:aurora`, `!country:DE`, `startup_ms>=1000`). */
  get filters(): string[] {
    return [...new Set(params.getAll('f'))];
  },
  /** A link to this screen with some values changed. */
  here(patch: Patch): string {
    return written(path, patched(params, patch));
  },
  /** A link to another screen; the span and the filters go along. */
  to(screen: string, patch: Patch = {}): string {
    const shared = new URLSearchParams([...params].filter(([name]) => SHARED.includes(name)));
    return written(screen, patched(shared, patch));
  },
  /** Changes values of this screen; `replace` leaves no entry behind for the back button. */
  change(patch: Patch, { replace = false } = {}): void {
    const next = this.here(patch);
    if (next === location.hash) return;
    if (replace) history.replaceState(null, '', next);
    else history.pushState(null, '', next);
    const now = read();
    path = now.path;
    query = now.params.toString();
  },
  /** Adds a filter, or takes it away if it is there. */
  toggle(filter: string): void {
    const now = this.filters;
    this.change({ f: now.includes(filter) ? now.filter((one) => one !== filter) : [...now, filter] });
  },
};
