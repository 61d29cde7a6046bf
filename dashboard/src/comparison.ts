/** Rows of /v1/compare: a number beside that of another period. */

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
