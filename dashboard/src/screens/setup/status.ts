/** What the server says of its pipeline (`/v1/status`); all but version and lag is for admins. */

export interface Refusal {
  at: string;
  door: string;
  property: string;
  code: string;
  message: string;
  field: string;
}

export interface Status {
  version: string;
  lag: { records: number; events: number; ms: number; reason: string | null };
  events?: {
    in: number;
    stored: number;
    quarantined: number;
    dropped: Record<string, number>;
    duplicates: number;
    pending: number;
    equation_holds: boolean;
  };
  worker?: { position: number; next_offset: number; open_views: number; last_error: string | null };
  disk?: { free_bytes: number; floor_bytes: number; log_bytes: number; store_bytes: number };
  processes?: Record<string, { pid: number; age_ms: number; restarts: number }>;
  refusals?: Refusal[];
  project?: { pipes: number; datasources: number; built_at: string | null; problem: string | null };
}

/** A step of the first event's way. */
export interface Step {
  name: string;
  state: 'done' | 'waits' | 'failed';
  text: string;
}

/** What was counted when the waiting began: only what comes after it is news. */
export interface Baseline {
  at: string;
  in: number;
  stored: number;
}

/**
 * Return the way of the first event since the baseline, step by step; the first step that is not
 * done says why.
 *
 * @param viewers - concurrent viewers on the chart now
 * @param newViews - views that began since the baseline
 */
export function stepsOf(now: Status, since: Baseline, newViews: number | null, viewers: number | null): Step[] {
  const came = (now.events?.in ?? 0) - since.in;
  const stored = (now.events?.stored ?? 0) - since.stored;
  const refused = (now.refusals ?? []).filter((one) => one.at >= since.at).at(-1);
  const seen = came > 0 || refused !== undefined;
  const steps: Step[] = [
    seen
      ? { name: 'Seen', state: 'done', text: came > 0 ? `${came} events came to a door` : `a request came to the door '${refused?.door}'` }
      : { name: 'Seen', state: 'waits', text: 'nothing has come to a door yet: put the snippet into a page and press play' },
  ];
  if (!seen) return [...steps, ...later(['Accepted', 'Stored', 'View open', 'On the chart'])];
  steps.push(
    came > 0
      ? { name: 'Accepted', state: 'done', text: 'on disk, acknowledged' }
      : { name: 'Accepted', state: 'failed', text: `refused: ${refused?.message ?? ''}${refused?.field ? ` (field ${refused.field})` : ''}` },
  );
  if (came <= 0) return [...steps, ...later(['Stored', 'View open', 'On the chart'])];
  steps.push(
    stored > 0
      ? { name: 'Stored', state: 'done', text: `${stored} events can be asked for` }
      : { name: 'Stored', state: now.lag.reason ? 'failed' : 'waits', text: now.lag.reason ?? `${now.lag.events} events wait for the store` },
  );
  if (stored <= 0) return [...steps, ...later(['View open', 'On the chart'])];
  steps.push(
    newViews
      ? { name: 'View open', state: 'done', text: newViews === 1 ? 'one view' : `${newViews} views` }
      : { name: 'View open', state: 'waits', text: 'no view has begun: events need a play (PLAY) and an id (viewId or sessionId)' },
  );
  steps.push(
    viewers
      ? { name: 'On the chart', state: 'done', text: viewers === 1 ? 'one concurrent viewer' : `${viewers} concurrent viewers` }
      : { name: 'On the chart', state: 'waits', text: 'nobody watches at this moment; a headless browser counts as a bot and is left out' },
  );
  return steps;
}

function later(names: readonly string[]): Step[] {
  return names.map((name) => ({ name, state: 'waits', text: '' }));
}
