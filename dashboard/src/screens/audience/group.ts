/** Rows of a breakdown, and their share of the whole. */

export interface Group {
  group: string;
  value: number | null;
}

/** Return the share of a whole in %, null where there is none. */
export function shareOf(value: number | null, total: number | null): number | null {
  return value === null || !total ? null : Math.min(100, (100 * value) / total);
}
