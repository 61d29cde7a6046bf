/** One view as the API tells it, and what its timeline needs of it. */

export interface Interval {
  state: string;
  from: string;
  to: string;
  position_from_s: number | null;
  position_to_s: number | null;
  bitrate_kbps: number | null;
  height: number | null;
  cdn: string;
  cause: Cause | null;
}

export interface Evidence {
  field: string;
  value: number | string;
  unit: string;
}

export interface Cause {
  what: string;
  from: string;
  to: string;
  duration_ms: number;
  code: string;
  sentence: string;
  confidence: string;
  evidence: Evidence[];
  others: Omit<Cause, 'what' | 'from' | 'to' | 'duration_ms' | 'others'>[];
}

export interface ViewEvent {
  at: string;
  kind: string;
  event_type: string;
  received_at: string;
  door: string;
  seq?: number;
  position_s?: number;
  state?: string;
  video_bitrate_kbps?: number;
  video_height?: number;
  player_buffer_s?: number;
  player_throughput_kbps?: number;
  error_code?: string;
  error_message?: string;
  error_details?: string;
  error_fatal?: boolean;
  request_status?: number;
  request_total_ms?: number;
  request_host?: string;
  request_kind?: string;
  [field: string]: unknown;
}

export interface CdnRequest {
  at: string;
  cdn: string;
  pop: string;
  status: number;
  cache: string;
  ttfb_ms: number | null;
  total_ms: number | null;
  bytes_out: number;
  rendition: string;
  object_type: string;
}

export interface View {
  view_id: string;
  video_id: string;
  video_title: string;
  viewer_id: string;
  session_id: string;
  started_at: string;
  ended_at: string;
  status: string;
  final: boolean;
  startup_ms: number | null;
  rebuffer_count: number;
  rebuffer_ms: number;
  seek_count: number;
  watch_ms: number;
  playing_ms: number;
  bitrate_kbps: number | null;
  errors: number;
  warnings: number;
  fatal_error_code: string;
  score: number | null;
  cdn: string;
  country: string;
  device_class: string;
  os: string;
  browser: string;
  player_name: string;
  player_version: string;
  events_missing: number;
  event_count: number;
  duration_s: number | null;
  intervals: Interval[];
  events: ViewEvent[];
  requests: CdnRequest[];
  causes: Cause[];
  [column: string]: unknown;
}

/** A moment on a view's own axis: ms since its first moment. */
export interface Point {
  atMs: number;
  value: number;
}

/** Return the span of a view on the clock, ms since 1970; at least one second long. */
export function spanOf(view: View): { from: number; to: number } {
  const moments = [
    ...view.intervals.flatMap((one) => [Date.parse(one.from), Date.parse(one.to)]),
    ...view.events.map((one) => Date.parse(one.at)),
    ...view.requests.map((one) => Date.parse(one.at)),
    Date.parse(view.started_at),
  ].filter(Number.isFinite);
  const from = moments.reduce((a, b) => Math.min(a, b), Infinity);
  const to = moments.reduce((a, b) => Math.max(a, b), -Infinity);
  return { from, to: Math.max(to, from + 1_000) };
}

/** Return the playhead over time: the ends of each interval that knows them. */
export function playheadOf(view: View, from: number): Point[][] {
  const parts: Point[][] = [];
  for (const one of view.intervals) {
    if (one.position_from_s === null || one.position_to_s === null) continue;
    const part = [
      { atMs: Date.parse(one.from) - from, value: one.position_from_s },
      { atMs: Date.parse(one.to) - from, value: one.position_to_s },
    ];
    const before = parts.at(-1)?.at(-1);
    if (before && before.atMs === part[0]?.atMs && before.value === part[0].value) parts.at(-1)?.push(...part.slice(1));
    else parts.push(part);
  }
  return parts;
}

/** Return the bitrate on screen as steps. */
export function bitrateOf(view: View, from: number): Point[][] {
  return view.intervals
    .filter((one) => one.bitrate_kbps !== null && one.state !== 'ad')
    .map((one) => [
      { atMs: Date.parse(one.from) - from, value: one.bitrate_kbps ?? 0 },
      { atMs: Date.parse(one.to) - from, value: one.bitrate_kbps ?? 0 },
    ]);
}

/** Return a number of the events over time. */
export function toldOf(view: View, from: number, field: 'player_buffer_s' | 'player_throughput_kbps'): Point[][] {
  const points = view.events.flatMap((one) => {
    const value = one[field];
    return typeof value === 'number' ? [{ atMs: Date.parse(one.at) - from, value }] : [];
  });
  return points.length ? [points] : [];
}
