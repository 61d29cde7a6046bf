/** Numbers with their unit, and the rows they were made from. */

import { bitrate, bytes, count, decimal, duration, NONE } from './format.ts';

/** Units that `bare` writes itself, or that say nothing beside the name. */
const TOLD = new Set(['ms', 's', '%', 'kbps', 'kbit/s', 'bytes', 'score', 'apdex', 'MOS', '']);
const COUNTED: Readonly<Record<string, string>> = {
  views: 'views',
  renditions: 'intervals',
  requests: 'requests',
  cdn: 'requests',
  frames: 'records',
};

/** Return a number without the word it counts, for places that say it already: `2,305`, but `1.4 s`. */
export function bare(value: number | null | undefined, unit: string | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  if (unit === 'ms') return duration(value);
  if (unit === 's') return duration(value * 1_000);
  if (unit === '%') return `${decimal(value)} %`;
  if (unit === 'kbps' || unit === 'kbit/s') return bitrate(value);
  if (unit === 'bytes') return bytes(value);
  if (unit === null || unit === undefined || unit === '' || unit === 'score') return decimal(value);
  return Number.isInteger(value) ? count(value) : decimal(value);
}

/** Return a number and its unit as it is read: `2,305 views`. */
export function amount(value: number | null | undefined, unit: string | null | undefined): string {
  const text = bare(value, unit);
  return value === null || value === undefined || TOLD.has(unit ?? '') ? text : `${text} ${unit}`;
}

/** Return a number as an axis has room for it: one unit at most. */
export function short(value: number | null | undefined, unit: string | null | undefined): string {
  const ms = unit === 'ms' ? (value ?? 0) : 0;
  if (ms >= 3_600_000) return `${decimal(ms / 3_600_000)} h`;
  if (ms >= 60_000) return `${decimal(ms / 60_000)} min`;
  return bare(value, unit);
}

/** Return what the rows of a source are called; the field that counts them has that name. */
export function counted(source: string): string {
  return COUNTED[source] ?? 'views';
}

/** Return a field of a row that is a number, else null. */
export function numberOf(row: object | null | undefined, field: string): number | null {
  const value = row ? (row as Record<string, unknown>)[field] : null;
  return typeof value === 'number' ? value : null;
}

/** Return what two values differ by, as a share of the second in %, null where that says nothing. */
export function beyond(value: number | null | undefined, base: number | null | undefined): number | null {
  if (value === null || value === undefined || !base) return null;
  return (100 * (value - base)) / Math.abs(base);
}
