/** A title's retention as `/v1/retention/{video_id}` tells it. */

export interface Point {
  start_s: number;
  end_s: number;
  views: number;
  absolute: number | null;
  audience_watch_ratio: number | null;
  rewatches: number | null;
  started_watching: number;
  stopped_watching: number;
  relative: number | null;
  typical_low: number | null;
  typical_high: number | null;
}

export interface Spot {
  start_s: number;
  end_s: number;
  score: number;
  [name: string]: unknown;
}

export interface Summary {
  axis: string;
  length_s: number | null;
  duration_s: number | null;
  resolution_s: number;
  views: number;
  base_views: number;
  open_views: number;
  unknown_position_views: number;
  average_view_duration_s: number | null;
  average_percentage_viewed: number | null;
  intro_retention: number | null;
  completion_rate: number | null;
  rewatched_s: number | null;
  similar_titles: number;
  relative_reason: string | null;
  moments_reason: string | null;
  drop_offs: Spot[];
  spikes: Spot[];
  dips: Spot[];
  most_engaged: Spot[];
  least_engaged: Spot[];
}

/** Return a place in the content as `12:34` or `1:02:03`. */
export function place(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '–';
  const all = Math.round(seconds);
  const [hours, minutes, rest] = [Math.trunc(all / 3_600), Math.trunc((all % 3_600) / 60), all % 60];
  const two = (value: number): string => String(value).padStart(2, '0');
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
