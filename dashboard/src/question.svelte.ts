/** A question that a part of a screen asks again whenever what it asks changes. */

import { untrack } from 'svelte';
import { ask, addressOf, Problem, type Answer, type Asked, type Meta } from './ask.ts';
import { session, type Who } from './session.svelte.ts';

const AGAIN_MS = 1_000;
const AGAIN_MAX_MS = 10_000;
const KEPT_MAX = 200;

/** What a part shows: the newest answer, and what is wrong with getting a newer one. */
export interface Question<T> {
  readonly data: T | null;
  readonly meta: Meta | null;
  /** Why there is no (newer) answer. With `data` beside it: what is shown is stale. */
  readonly problem: Problem | null;
  /** True until there is an answer, or a problem, to what is asked now. */
  readonly loading: boolean;
  /** Asks again now. */
  again(): void;
}

/** Answers of this visit: going back to a screen shows at once what was there. */
const kept = new Map<string, Answer<unknown>>();
const inFlight = new Map<string, Promise<Answer<unknown>>>();
let keptFor: Who | null = null;

/** Forgets what another token was told. */
function keepFor(who: Who | null): void {
  if (who === keptFor) return;
  keptFor = who;
  kept.clear();
  inFlight.clear();
}

function asking(url: string, asked: Asked): Promise<Answer<unknown>> {
  let under = inFlight.get(url);
  if (!under) {
    const mine = ask<unknown>(asked).finally(() => {
      if (inFlight.get(url) === mine) inFlight.delete(url);
    });
    inFlight.set(url, mine);
    under = mine;
  }
  return under;
}

function keep(url: string, answer: Answer<unknown>): void {
  kept.delete(url);
  kept.set(url, answer);
  const oldest = kept.keys().next();
  if (kept.size > KEPT_MAX && !oldest.done) kept.delete(oldest.value);
}

/**
 * Asks as long as the component lives; call it while the component is made.
 *
 * @param asked - what to ask now; null asks nothing. It is read reactively.
 * @param every - ms after which it is asked again (or what says so); 0 never. Nothing is asked in
 *   a hidden page.
 */
export function question<T>(asked: () => Asked | null, { every = 0 as number | (() => number) } = {}): Question<T> {
  let answer = $state.raw<Answer<T> | null>(null);
  let problem = $state.raw<Problem | null>(null);
  let loading = $state(true);
  let turn = $state(0);
  /** What `answer` answers. */
  let answered = { url: '', thing: '' };

  $effect(() => {
    keepFor(session.who);
    const now = asked();
    void turn;
    if (!now) {
      answer = null;
      loading = false;
      return;
    }
    const url = addressOf(now);
    const thing = [now.path, now.params?.metric, now.params?.group_by].join(' ');
    const before = kept.get(url) as Answer<T> | undefined;
    if (before) [answer, answered] = [before, { url, thing }];
    // The numbers of one span may stand until those of another are there, never those of another thing.
    else if (answered.thing !== thing) answer = null;
    if (answered.url !== url) problem = null;
    loading = !before;
    let over = false;
    let timer = 0;
    let failures = 0;
    const rest = (): number => untrack(() => (typeof every === 'number' ? every : every()));
    const next = (ms: number): void => {
      if (!over && ms) timer = window.setTimeout(once, ms);
    };
    const once = async (): Promise<void> => {
      if (document.hidden && untrack(() => answer)) return next(rest() || AGAIN_MS);
      try {
        const got = (await asking(url, now)) as Answer<T>;
        if (over) return;
        keep(url, got);
        answered = { url, thing };
        [answer, problem, loading, failures] = [got, null, false, 0];
        next(rest());
      } catch (error) {
        if (over || !(error instanceof Problem)) return;
        if (answered.url !== url) answer = null;
        [problem, loading] = [error, false];
        if (error.status === 401) session.lost();
        failures += 1;
        const wait = Math.min(AGAIN_MAX_MS, AGAIN_MS * 2 ** failures);
        if (error.status === 0 || error.status >= 429) next(Math.max(wait, error.retryAfterS * 1_000));
      }
    };
    void once();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  });

  return {
    get data() {
      return answer?.data ?? null;
    },
    get meta() {
      return answer?.meta ?? null;
    },
    get problem() {
      return problem;
    },
    get loading() {
      return loading;
    },
    again() {
      turn += 1;
    },
  };
}
