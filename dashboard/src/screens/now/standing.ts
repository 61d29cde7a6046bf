/** How groups of viewers fare at this moment, and which of them fare worse than chance explains. */

import type { Asked } from '../../ask.ts';
import { bitrate, decimal } from '../../format.ts';
import type { LiveRow } from '../../live.svelte.ts';

/** Dimensions that Now looks at. */
export const LOOKED_AT = ['video_title', 'cdn', 'country'] as const;
const GROUPS = 7;
const MINUTES = 6;
/** Buckets of five seconds: five minutes, the last half minute, the last two minutes. */
const BEFORE = 60;
const STATES = 6;
const COUNTS = 24;
/** Standard errors beyond which a difference is told, and viewers it must have struck. */
const APART = 3.5;
const LEAST_STRUCK = 3;
const LEAST_SHARE = 0.02;
/**
 * A bitrate is low below this share of that of all others, and of the group's own some minutes before. What
 * is the same for everybody is low without a before: an incident may be older than the page looks back.
 */
const LOW = 0.6;
const SAME_FOR_ALL = ['cdn'];
const LEAST_VIEWERS = 5;

/** What strikes viewers, worst first. */
const STRIKES = ['rebuffering', 'failed', 'starting up'] as const;
export type Strike = (typeof STRIKES)[number];
export type Kind = Strike | 'bitrate';

/** One group now. */
export interface Standing {
  /** Null: all groups that have no row of their own. */
  group: string | null;
  viewers: number;
  /** Viewers five minutes before. */
  before: number;
  /** Of so many viewers in the last half minute (failed: two minutes), so many were struck. */
  struck: Record<Strike, { of: number; many: number }>;
  /** kbit/s in the last half minute, and in the one five minutes before; null where nobody plays. */
  bitrate: number | null;
  bitrateBefore: number | null;
}

/** A group that fares worse than all others together. */
export interface Trouble {
  dimension: string;
  group: string;
  kind: Kind;
  /** What is wrong, in words and numbers. */
  says: string;
  viewers: number;
  /** The larger, the clearer; of one kind they can be compared. */
  apart: number;
}

/** Return the live question of a dimension: parts of the screen that ask it share one answer. */
export function groupsBy(by: string, filters: readonly string[]): Asked['params'] {
  return { minutes: MINUTES, group_by: by, limit: GROUPS, filters };
}

/** Return the groups of live rows, most viewers first, all others last. */
export function standings(rows: readonly LiveRow[]): Standing[] {
  const groups = new Map<string | null, LiveRow[]>();
  for (const row of rows) {
    const key = row.other ? null : (row.group ?? '');
    const series = groups.get(key);
    if (series) series.push(row);
    else groups.set(key, [row]);
  }
  return [...groups]
    .map(([group, series]) => standing(group, series))
    .filter((one) => one.viewers || one.before || one.struck.failed.many || one.struck['starting up'].many)
    .sort((a, b) => Number(a.group === null) - Number(b.group === null) || b.viewers - a.viewers);
}

function standing(group: string | null, series: readonly LiveRow[]): Standing {
  const [states, counts] = [series.slice(-STATES), series.slice(-COUNTS)];
  const mean = (name: 'concurrent_viewers' | 'rebuffering' | 'starting_up'): number =>
    states.reduce((sum, row) => sum + row[name], 0) / (states.length || 1);
  const [viewers, failures] = [mean('concurrent_viewers'), counts.reduce((sum, row) => sum + row.failures, 0)];
  return {
    group,
    viewers: series.at(-1)?.concurrent_viewers ?? 0,
    before: (series.at(-1 - BEFORE) ?? series[0])?.concurrent_viewers ?? 0,
    struck: {
      rebuffering: { of: viewers, many: mean('rebuffering') },
      'starting up': { of: viewers + mean('starting_up'), many: mean('starting_up') },
      failed: { of: viewers + failures, many: failures },
    },
    bitrate: meanBitrate(states),
    bitrateBefore: meanBitrate(series.slice(-STATES - BEFORE, -BEFORE)),
  };
}

function meanBitrate(rows: readonly LiveRow[]): number | null {
  let [sum, viewers] = [0, 0];
  for (const row of rows) {
    if (row.bitrate_kbps === null) continue;
    sum += row.bitrate_kbps * row.concurrent_viewers;
    viewers += row.concurrent_viewers;
  }
  return viewers ? sum / viewers : null;
}

/** Return what share of a group a thing struck, null of nobody. */
export function shareOf({ of, many }: { of: number; many: number }): number | null {
  return of > 0 ? Math.min(1, many / of) : null;
}

/** Return what is wrong with groups of a dimension, the clearest of each kind first. */
export function troubles(dimension: string, groups: readonly Standing[]): Trouble[] {
  const found: Trouble[] = [];
  for (const one of groups) {
    if (one.group === null) continue;
    const mine = { dimension, group: one.group, viewers: one.viewers };
    for (const kind of STRIKES) {
      const struck = beside(one, groups, kind);
      if (struck) found.push({ ...mine, kind, ...struck });
    }
    const low = lower(one, groups, SAME_FOR_ALL.includes(dimension));
    if (low) found.push({ ...mine, kind: 'bitrate', ...low });
  }
  return found.sort((a, b) => b.apart - a.apart);
}

/** Two shares beside each other by their pooled standard error. */
function beside(one: Standing, groups: readonly Standing[], kind: Strike): Pick<Trouble, 'says' | 'apart'> | null {
  const mine = one.struck[kind];
  let [of, many] = [0, 0];
  for (const other of groups) {
    if (other === one) continue;
    of += other.struck[kind].of;
    many += other.struck[kind].many;
  }
  if (mine.many < LEAST_STRUCK || mine.of <= 0 || of <= 0) return null;
  const [share, others] = [Math.min(1, mine.many / mine.of), Math.min(1, many / of)];
  const pooled = (mine.many + many) / (mine.of + of);
  const apart = (share - others) / Math.sqrt(Math.max(1e-9, pooled * (1 - pooled) * (1 / mine.of + 1 / of)));
  if (share < LEAST_SHARE || share < 2 * others || apart < APART) return null;
  return { says: `${decimal(100 * share)} % ${kind}, of all others ${decimal(100 * others)} %`, apart };
}

/** A bitrate far below that of all others, and below what it was: groups differ for good reasons, too. */
function lower(one: Standing, groups: readonly Standing[], isSame: boolean): Pick<Trouble, 'says' | 'apart'> | null {
  let [sum, viewers] = [0, 0];
  for (const other of groups) {
    if (other === one || other.bitrate === null) continue;
    sum += other.bitrate * other.viewers;
    viewers += other.viewers;
  }
  if (one.bitrate === null || !viewers || one.viewers < LEAST_VIEWERS) return null;
  const others = sum / viewers;
  const hasFallen = one.bitrateBefore !== null && one.bitrate < LOW * one.bitrateBefore;
  if (one.bitrate >= LOW * others || !(hasFallen || isSame)) return null;
  const before = hasFallen ? `, five minutes before ${bitrate(one.bitrateBefore)}` : '';
  const says = `bitrate ${bitrate(one.bitrate)}${before}, all others ${bitrate(others)}`;
  return { says, apart: (1 - one.bitrate / others) * Math.sqrt(one.viewers) };
}
