/** Asks the public API: the only way this page learns anything. */

/** An error as the API tells it, or of the way there (`code` `unreachable`). */
export class Problem extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly hint: string,
    readonly status: number,
    readonly retryAfterS = 0,
  ) {
    super(message);
  }
}

export interface Meta {
  unit: string | null;
  measurement: string | null;
  from: string;
  to: string;
  interval: string | null;
  freshness_ms: number | null;
  newest_event_at: string | null;
  provisional: boolean;
  more?: boolean;
  next_cursor?: string | null;
  [name: string]: unknown;
}

export interface Answer<T> {
  data: T;
  meta: Meta;
}

/** A path of the API and its parameters; a list stands several times. */
export interface Asked {
  path: string;
  params?: Record<string, string | number | readonly string[] | null | undefined>;
}

const BASE = new URL('.', document.baseURI);

/** Return the address of a question, relative to where this page is served. */
export function addressOf({ path, params = {} }: Asked): string {
  const url = new URL(path.replace(/^\//, ''), BASE);
  url.search = queryOf(params);
  return url.href;
}

/** Return parameters as they stand in an address; those without a value are left out. */
export function queryOf(params: Asked['params'] = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === null || value === undefined || value === '') continue;
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one));
  }
  return query.toString();
}

/** Return the answer to a question. Throws `Problem`. */
export async function ask<T>(asked: Asked, init: RequestInit = {}): Promise<Answer<T>> {
  const response = await request(asked, init);
  try {
    return (await response.json()) as Answer<T>;
  } catch (error) {
    // The connection broke in the middle: no answer either.
    if (init.signal?.aborted) throw error;
    throw unreachable();
  }
}

/** Return the answer as it came, for what is not `{data, meta}`. Throws `Problem`. */
export async function request(asked: Asked, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(addressOf(asked), { credentials: 'same-origin', ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw unreachable();
  }
  if (response.ok) return response;
  throw await problemOf(response);
}

function unreachable(): Problem {
  return new Problem('unreachable', 'The server does not answer.', 'It is asked again by itself.', 0);
}

async function problemOf(response: Response): Promise<Problem> {
  const after = Number(response.headers.get('retry-after')) || 0;
  try {
    const body = (await response.json()) as { code?: string; message?: string; hint?: string; error?: string };
    const text = body.message ?? body.error ?? response.statusText;
    return new Problem(body.code ?? 'unknown', text, body.hint ?? '', response.status, after);
  } catch {
    return new Problem('unknown', `The server answered ${response.status}.`, '', response.status, after);
  }
}
