/** What a query brings back, as the engine's JSON says it. */

import type { Cell, Column } from '../../csv.ts';

export interface Result {
  meta: { name: string; type: string }[];
  data: Record<string, unknown>[];
  rows: number;
  rows_before_limit_at_least?: number;
  statistics?: { elapsed: number; rows_read: number; bytes_read: number };
}

export type Row = Record<string, unknown>;
type Reviver = (this: unknown, key: string, value: unknown, context?: { source?: string }) => unknown;

/** Whole numbers beyond 2^53 are kept as they stand in the text: a number here would be another one. */
const exact: Reviver = (_, value, context) =>
  typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) && context?.source
    ? context.source
    : value;

/** Return a text as a result, null if it is another form. */
export function resultOf(text: string): Result | null {
  try {
    const found = JSON.parse(text, exact as Parameters<typeof JSON.parse>[1]) as Partial<Result> | null;
    return found && Array.isArray(found.meta) && Array.isArray(found.data) ? (found as Result) : null;
  } catch {
    return null;
  }
}

/** Return the columns of a result, each name once. */
export function columnsOf(result: Result): Column<Row>[] {
  const found = new Map(result.meta.map((one) => [one.name, one.type]));
  return [...found].map(([name, type]) => ({
    name,
    value: (row) => cell(row[name]),
    isNumber: /^(Nullable\()?(U?Int|Float|Decimal)/.test(type),
    title: () => type,
  }));
}

function cell(value: unknown): Cell {
  if (value === null || value === undefined) return null;
  return typeof value === 'object' ? JSON.stringify(value) : (value as Cell);
}
