/** The live numbers by server-sent events; the browser itself comes back after a break. */

import { addressOf, type Asked } from './ask.ts';
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

function keyOf(row: LiveRow): string {
  return `${row.time}\n${row.other ? 'other' : ''}\n${row.group ?? ''}`;
}

/** Listens as long as the component lives, and not while the page is hidden. */
export function live(params: () => Asked['params'] | null): Live {
  let rows = $state.raw<LiveRow[]>([]);
  let last = $state.raw<Told | null>(null);
  let problem = $state<string | null>(null);

  $effect(() => {
    const asked = params();
    // What was told of another question is no answer to this one.
    [rows, last, problem] = [[], null, null];
    if (!asked) return;
    const known = new Map<string, LiveRow>();
    let source: EventSource | null = null;
    let lastId = '';
    let silence = 0;

    const heard = (event: MessageEvent<string>): void => {
      lastId = event.lastEventId;
      const told = JSON.parse(event.data) as Told;
      if (told.snapshot) known.clear();
      for (const row of told.rows) known.set(keyOf(row), row);
      for (const [key, row] of known) if (row.time < told.from) known.delete(key);
      rows = [...known.values()].sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
      [last, problem] = [told, null];
      watch();
    };
    const open = (): void => {
      source?.close();
      const address = addressOf({ path: 'v1/live/stream', params: { ...asked, last_event_id: lastId } });
      source = new EventSource(address);
      source.addEventListener('live', heard);
      source.addEventListener('problem', (event: MessageEvent<string>) => {
        const told = JSON.parse(event.data) as { code: string; message: string };
        problem = told.message;
        if (told.code === 'unauthenticated') session.lost();
        watch();
      });
      source.onerror = () => {
        problem = 'The server does not answer. It is asked again by itself.';
        // A refused stream stays closed: browsers come back only after breaks.
        if (source?.readyState === EventSource.CLOSED) watch(CLOSED_MS);
      };
      watch();
    };
    const watch = (ms = SILENT_MS): void => {
      clearTimeout(silence);
      silence = window.setTimeout(open, ms);
    };
    const seen = (): void => {
      if (!document.hidden) return open();
      clearTimeout(silence);
      source?.close();
    };
    document.addEventListener('visibilitychange', seen);
    if (!document.hidden) open();
    return () => {
      document.removeEventListener('visibilitychange', seen);
      clearTimeout(silence);
      source?.close();
    };
  });

  return {
    get rows() {
      return rows;
    },
    get totals() {
      return last?.totals ?? null;
    },
    get to() {
      return last?.to ?? null;
    },
    get freshnessMs() {
      return last?.freshness_ms ?? null;
    },
    get newestEventAt() {
      return last?.newest_event_at ?? null;
    },
    get problem() {
      return problem;
    },
  };
}
