/** What the server says of its space (`/v1/space`, for admins), and how a person reads it. */

import type { Bar } from '../../parts/Bars.svelte';
import { bytes, decimal, NONE } from '../../format.ts';

export interface SpaceItem {
  id: string;
  kind: string;
  name: string;
  workspace: string;
  bytes: number;
  rows: number | null;
  parts: number | null;
  oldest: string | null;
  newest: string | null;
  kept: string;
  limit_bytes: number | null;
  growth_bytes_per_day: number | null;
}

export interface Space {
  disk: {
    state: 'ok' | 'warn' | 'low';
    free_bytes: number;
    total_bytes: number;
    floor_bytes: number;
    warning_bytes: number;
    growth_bytes_per_day: number | null;
    full_in_days: number | null;
    sentence: string;
    remedy: string;
  };
  data_bytes: number;
  items: SpaceItem[];
  removed: Record<string, { rows: number; bytes: number; days: number; last_day: string }>;
  complete: boolean;
  reason: string | null;
}

const KINDS: Record<string, string> = {
  log: 'Log',
  playhead: 'Playhead',
  project: 'Projects',
  staging: 'Staged',
  service: 'Service tables',
  imports: 'Imports',
  frozen: 'Backup',
  engine: 'Store',
  files: 'Other',
};

/** Return a size that grows or shrinks, with its sign. */
export function growth(count: number | null | undefined): string {
  if (count === null || count === undefined) return NONE;
  if (Math.abs(count) < 1_024) return '0';
  return `${count > 0 ? '+' : '−'}${bytes(Math.abs(count))}`;
}

/** Return when the disk is full, in words: what is not known yet is told as such. */
export function fullIn(disk: Space['disk']): string {
  if (disk.growth_bytes_per_day === null) return NONE;
  if (disk.full_in_days === null) return 'not in sight';
  return disk.full_in_days < 1 ? `${Math.max(1, Math.floor(disk.full_in_days * 24))} h` : `${decimal(Math.floor(disk.full_in_days))} d`;
}

/** Return what the kinds of use take together, the largest first. */
export function kindsOf(items: readonly SpaceItem[]): Bar[] {
  // Not the data folder's: tables of a store elsewhere are no part of it.
  const whole = items.reduce((sum, item) => sum + item.bytes, 0);
  const sums = new Map<string, number>();
  for (const item of items) sums.set(item.kind, (sums.get(item.kind) ?? 0) + item.bytes);
  return [...sums]
    .filter(([, sum]) => sum > 0)
    .sort(([, one], [, other]) => other - one)
    .map(([kind, sum]) => ({
      group: null,
      name: KINDS[kind] ?? kind,
      value: sum,
      text: bytes(sum),
      aside: whole ? `${decimal((100 * sum) / whole)} %` : '',
    }));
}

/** Return the name of a use, with its workspace where it is not the main one. */
export function nameOf(item: SpaceItem): string {
  return item.workspace ? `${item.name} (${item.workspace})` : item.name;
}
