/** Documents of /v0, which are no `{data, meta}`: asked for as long as the component lives. */

import { addressOf, Problem, request, type Asked } from '../../ask.ts';
import { session } from '../../session.svelte.ts';

export interface Sent extends Asked {
  /** Sent as a text by POST; without it by GET. */
  body?: string;
}

export interface Loaded<T> {
  readonly data: T | null;
  readonly problem: Problem | null;
  readonly loading: boolean;
  /** From asking to the last byte. */
  readonly tookMs: number | null;
  again(): void;
}

/**
 * Asks whenever what is asked changes; null asks nothing.
 *
 * @param asked - read reactively.
 * @param read - what to make of the text.
 */
export function loaded<T>(asked: () => Sent | null, read: (text: string) => T = (text) => JSON.parse(text) as T): Loaded<T> {
  let data = $state.raw<T | null>(null);
  let problem = $state.raw<Problem | null>(null);
  let loading = $state(true);
  let tookMs = $state<number | null>(null);
  let turn = $state(0);
  let before = '';

  $effect(() => {
    const now = asked();
    void turn;
    if (!now) {
      [data, problem, loading, tookMs] = [null, null, false, null];
      return;
    }
    const same = `${addressOf(now)}\n${now.body ?? ''}`;
    if (same !== before) data = null;
    before = same;
    loading = true;
    const leaving = new AbortController();
    const post = { method: 'POST', headers: { 'content-type': 'text/plain' } };
    const init: RequestInit = { signal: leaving.signal, ...(now.body === undefined ? {} : { ...post, body: now.body }) };
    const began = performance.now();
    request(now, init)
      .then(async (response) => {
        const text = await response.text();
        if (leaving.signal.aborted) return;
        [data, problem, loading, tookMs] = [read(text), null, false, performance.now() - began];
      })
      .catch((error: unknown) => {
        if (leaving.signal.aborted) return;
        const told = error instanceof Problem ? error : new Problem('unreadable', 'The answer cannot be read.', '', 0);
        if (told.code === 'unauthenticated') session.lost();
        [data, problem, loading] = [null, once(told), false];
      });
    return () => leaving.abort();
  });

  return {
    get data() {
      return data;
    },
    get problem() {
      return problem;
    },
    get loading() {
      return loading;
    },
    get tookMs() {
      return tookMs;
    },
    again() {
      turn += 1;
    },
  };
}

/** /v0 says the hint in its sentence, too, for clients that look there alone: once is enough here. */
function once(problem: Problem): Problem {
  const { code, message, hint, status, retryAfterS } = problem;
  return hint && message.endsWith(hint)
    ? new Problem(code, message.slice(0, -hint.length).trim(), hint, status, retryAfterS)
    : problem;
}
