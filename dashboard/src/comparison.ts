/** Rows of /v1/compare: a number beside that of another period. */

import type { Meta } from './ask.ts';

export interface Compared {
  value: number | null;
  compared_value: number | null;
  change: number | null;
  change_percentage: number | null;
  p_value: number | null;
}

/** One bucket of both periods; of the earlier one `compared_time` is the start. */
export interface ComparedBucket extends Compared {
  time?: string;
  compared_time?: string;
}

/** A row of an answer about several metrics. */
export interface ComparedOf extends Compared {
  metric: string;
  time?: string;
}

/** What `meta` of such an answer says of each. */
export interface Told {
  metric: string;
  unit: string | null;
  measurement: string | null;
}

/** Return the units of metrics in an answer about several, by id. */
export function unitsOf(meta: Meta | null): ReadonlyMap<string, string | null> {
  return new Map(((meta?.metrics as Told[] | undefined) ?? []).map((one) => [one.metric, one.unit]));
}
