/** What the server says of its pipeline (`/v1/status`); all but version and lag is for admins. */

export interface Refusal {
  at: string;
  door: string;
  property: string;
  code: string;
  message: string;
  field: string;
}

/** What the watchdog found out of order. */
export interface Alert {
  id: string;
  severity: 'warning' | 'critical';
  since: string;
  sentence: string;
  remedy: string;
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
  alerts?: Alert[];
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

/** A view that began since the baseline. */
export interface NewView {
  view_id: string;
  event_count: number;
}

/** What came since the baseline: on a server with viewers, of the video that is waited for alone. */
export interface News {
  videoId: string;
  views: readonly NewView[];
  /** Concurrent viewers on the chart now. */
  viewers: number;
}

const NAMES = ['Seen', 'Accepted', 'Stored', 'View open', 'On the chart'] as const;

/**
 * Return the way of the first event since the baseline, step by step; the first step that is not
 * done says why. On a server that others send to, too, the counters say nothing: the steps tick
 * when a view of the video that is waited for is there.
 */
export function stepsOf(now: Status, since: Baseline, news: News): Step[] {
  const came = (now.events?.in ?? 0) - since.in;
  const stored = (now.events?.stored ?? 0) - since.stored;
  const refused = (now.refusals ?? []).filter((one) => one.at >= since.at).at(-1);
  const mine = news.views.length > 0;
  if (since.in > 0 && !mine) return waiting([{ name: 'Seen', state: 'waits', text: othersOnly(came, refused, news.videoId) }]);
  if (!mine && came <= 0 && !refused) {
    return waiting([{ name: 'Seen', state: 'waits', text: 'nothing has come to a door yet: put the snippet into a page and press play' }]);
  }
  if (!mine && came <= 0) {
    const why = `refused: ${refused?.message ?? ''}${refused?.field ? ` (field ${refused.field})` : ''}`;
    return waiting([done('Seen', `a request came to the door '${refused?.door}'`), { name: 'Accepted', state: 'failed', text: why }]);
  }
  const events = news.views.reduce((sum, one) => sum + one.event_count, 0);
  const steps = [
    done('Seen', since.in > 0 ? `events of ${news.videoId} came to a door` : `${came} events came to a door`),
    done('Accepted', 'on disk, acknowledged'),
  ];
  if (!mine && stored <= 0) {
    const text = now.lag.reason ?? `${now.lag.events} events wait for the store`;
    return waiting([...steps, { name: 'Stored', state: now.lag.reason ? 'failed' : 'waits', text }]);
  }
  steps.push(done('Stored', `${since.in > 0 ? events : stored} events can be asked for`));
  if (!mine) {
    const text = 'no view has begun: events need a play (PLAY) and an id (viewId or sessionId)';
    return waiting([...steps, { name: 'View open', state: 'waits', text }]);
  }
  steps.push(done('View open', news.views.length === 1 ? 'one view' : `${news.views.length} views`));
  const chart = news.viewers
    ? done('On the chart', news.viewers === 1 ? 'one concurrent viewer' : `${news.viewers} concurrent viewers`)
    : { name: 'On the chart', state: 'waits' as const, text: 'nobody watches at this moment; a headless browser counts as a bot and is left out' };
  return [...steps, chart];
}

function othersOnly(came: number, refused: Refusal | undefined, videoId: string): string {
  const others = came > 0 ? `${came} events came meanwhile, none of them of the video ${videoId}` : `nothing of the video ${videoId} has come to a door yet`;
  const reason = refused ? `; the newest that was refused: ${refused.message}` : '';
  return `${others}${reason}`;
}

function done(name: string, text: string): Step {
  return { name, state: 'done', text };
}

/** The steps told so far, and the rest, which waits for them. */
function waiting(steps: Step[]): Step[] {
  return [...steps, ...NAMES.slice(steps.length).map((name) => ({ name, state: 'waits' as const, text: '' }))];
}
