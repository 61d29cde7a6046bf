/**
 * The live numbers by server-sent events. All questions of a page go over one stream: a browser has no
 * more than six connections to a server, windows and all.
 */

import { addressOf, queryOf, type Asked } from './ask.ts';
import { session } from './session.svelte.ts';

export interface LiveRow {
  time: string;
  concurrent_viewers: number;
  starting_up: number;
  rebuffering: number;
  rebuffering_percentage: number | null;
  bitrate_kbps: number | null;
  failures: number;
  starts: number;
  group?: string;
  other?: boolean;
}

interface Told {
  /** Which of the questions asked it answers. */
  ask: number;
  snapshot: boolean;
  from: string;
  to: string;
  freshness_ms: number | null;
  newest_event_at: string | null;
  rows: LiveRow[];
  totals: Omit<LiveRow, 'time'>;
}

export interface Live {
  /** One row a bucket (and group), in order of time. */
  readonly rows: LiveRow[];
  readonly totals: Omit<LiveRow, 'time'> | null;
  readonly to: string | null;
  readonly freshnessMs: number | null;
  readonly newestEventAt: string | null;
  /** A sentence when the numbers cannot be had now. */
  readonly problem: string | null;
}

const SILENT_MS = 20_000;
const CLOSED_MS = 2_000;
const BETWEEN = '.';
const NOTHING: LiveRow[] = [];

/** One question, and what has been told of it; parts of a screen that ask the same share it. */
class Followed {
  rows = $state.raw<LiveRow[]>([]);
  last = $state.raw<Told | null>(null);
  problem = $state<string | null>(null);
  parts = 0;
  /** How far it was told, as the id of an event says. */
  place = '';
  private known = new Map<string, LiveRow>();

  constructor(readonly asked: string) {}

  hear(told: Told): void {
    const { known } = this;
    if (told.snapshot) known.clear();
    let isNew = told.snapshot;
    for (const row of told.rows) {
      const key = keyOf(row);
      isNew ||= !known.has(key);
      known.set(key, row);
    }
    for (const [key, row] of known) if (row.time < told.from) known.delete(key);
    // Amended rows keep their places in the map.
    const rows = [...known.values()];
    this.rows = isNew ? rows.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)) : rows;
    [this.last, this.problem] = [told, null];
  }
}

const followed = new Map<string, Followed>();
let source: EventSource | null = null;
/** The questions of the open stream, in the order they were asked. */
let open: Followed[] = [];
let silence = 0;
let due = 0;

function keyOf(row: LiveRow): string {
  return `${row.time}\n${row.other ? 'other' : ''}\n${row.group ?? ''}`;
}

function heard(event: MessageEvent<string>): void {
  const told = JSON.parse(event.data) as Told;
  event.lastEventId.split(BETWEEN).forEach((place, index) => {
    const one = open[index];
    if (one) one.place = place;
  });
  open[told.ask]?.hear(told);
  watch();
}

function refused(event: MessageEvent<string>): void {
  const told = JSON.parse(event.data) as { code: string; message: string; ask?: number };
  // What is told of no question in particular is told of all.
  for (const one of open) if (told.ask === undefined || one === open[told.ask]) one.problem = told.message;
  if (told.code === 'unauthenticated') session.lost();
  watch();
}

function broke(): void {
  for (const one of open) one.problem = 'The server does not answer. It is asked again by itself.';
  // A refused stream stays closed: browsers come back only after breaks.
  if (source?.readyState === EventSource.CLOSED) watch(CLOSED_MS);
}

function close(): void {
  clearTimeout(silence);
  source?.close();
  source = null;
}

function begin(): void {
  close();
  open = [...followed.values()];
  if (!open.length || document.hidden) return;
  const params = { ask: open.map((one) => one.asked), last_event_id: open.map((one) => one.place).join(BETWEEN) };
  source = new EventSource(addressOf({ path: 'v1/live/stream', params }));
  source.addEventListener('live', heard);
  source.addEventListener('problem', refused);
  source.onerror = broke;
  watch();
}

function watch(ms = SILENT_MS): void {
  clearTimeout(silence);
  silence = window.setTimeout(begin, ms);
}

/** Opens the stream anew when other questions are asked; those of one turn all at once. */
function settle(): void {
  clearTimeout(due);
  due = window.setTimeout(() => {
    for (const [key, one] of followed) if (!one.parts) followed.delete(key);
    const now = [...followed.values()];
    if (now.length !== open.length || now.some((one, index) => one !== open[index])) begin();
  }, 0);
}

document.addEventListener('visibilitychange', () => (document.hidden ? close() : begin()));

/** Follows a question as long as the component lives, and not while the page is hidden. */
export function live(params: () => Asked['params'] | null): Live {
  let mine = $state.raw<Followed | null>(null);

  $effect(() => {
    const asked = params();
    if (!asked) {
      mine = null;
      return;
    }
    const key = queryOf(asked);
    const one = followed.get(key) ?? new Followed(key);
    followed.set(key, one);
    one.parts += 1;
    mine = one;
    settle();
    return () => {
      one.parts -= 1;
      settle();
    };
  });

  return {
    get rows() {
      return mine?.rows ?? NOTHING;
    },
    get totals() {
      return mine?.last?.totals ?? null;
    },
    get to() {
      return mine?.last?.to ?? null;
    },
    get freshnessMs() {
      return mine?.last?.freshness_ms ?? null;
    },
    get newestEventAt() {
      return mine?.last?.newest_event_at ?? null;
    },
    get problem() {
      return mine?.problem ?? null;
    },
  };
}
