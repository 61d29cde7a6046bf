/** What the doors refused, as /v1/quarantine tells of it. */

export interface Reason {
  door: string;
  source: string;
  code: string;
  count: number;
  first_at: string;
  last_at: string;
  message: string;
}

export interface Refused {
  id: string;
  received_at: string;
  door: string;
  source: string;
  property: string;
  code: string;
  message: string;
  body: string;
  truncated: boolean;
  retried_at: string | null;
}

export interface Outcome {
  taken: number;
  accepted: number;
  still_refused: { id: string; code: string; message: string }[];
  skipped_truncated: number;
}

/** Which rows, as GET takes it. */
export type Which = Record<string, string>;
