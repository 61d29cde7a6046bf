/** Both sides of delivery by group: what players saw, and what the CDNs logged. */

import type { Asked } from '../../ask.ts';

/** What can be laid side by side, and which side knows it. */
export interface By {
  id: string;
  name: string;
  /** The dimension of views. */
  views: string | null;
  /** The dimension of CDN requests. */
  logs: string | null;
}

export const BYS: readonly By[] = [
  { id: 'cdn', name: 'CDN', views: 'cdn', logs: 'cdn' },
  { id: 'pop', name: 'Pop', views: null, logs: 'pop' },
  { id: 'host', name: 'Host', views: 'host', logs: 'host' },
  { id: 'isp', name: 'ISP', views: 'as_org', logs: null },
  { id: 'country', name: 'Country', views: 'country', logs: 'country' },
];

/** What players saw: a column each. */
export const SEEN: readonly { id: string; name: string; measurement?: string }[] = [
  { id: 'startup_time', name: 'Startup' },
  { id: 'rebuffer_percentage', name: 'Rebuffering' },
  { id: 'playback_failure_percentage', name: 'Failures' },
  { id: 'weighted_bitrate', name: 'Bitrate' },
  { id: 'score', name: 'Score' },
];

export interface Group {
  group: string;
  value: number | null;
  views: number;
}

export interface Kpi {
  requests: number;
  error_percentage: number | null;
  slow_percentage: number | null;
  cache_hit_ratio: number | null;
  bytes: number;
  ttfb_p50: number | null;
  ttfb_p95: number | null;
  time: string;
  [dimension: string]: unknown;
}

export interface SideRow {
  group: string;
  views: number | null;
  seen: (number | null)[];
  log: Kpi | null;
}

/** Return the question for one column of what players saw. */
export function seenAsked(metric: string, by: By, span: { from: string; to: string }, filters: readonly string[]): Asked | null {
  if (!by.views) return null;
  const params = { ...span, group_by: by.views, filters, limit: 30, order: 'views:desc' };
  return { path: `v1/metrics/${metric}/breakdown`, params };
}

/** Return the rows of the table: groups of either side, most views first, then most requests. */
export function rowsOf(columns: readonly (readonly Group[])[], logs: readonly Kpi[], by: By): SideRow[] {
  const rows = new Map<string, SideRow>();
  const row = (group: string): SideRow => {
    const known = rows.get(group);
    if (known) return known;
    const made: SideRow = { group, views: null, seen: SEEN.map(() => null), log: null };
    rows.set(group, made);
    return made;
  };
  columns.forEach((groups, index) => {
    for (const one of groups) {
      const target = row(one.group);
      target.seen[index] = one.value;
      target.views = Math.max(target.views ?? 0, one.views);
    }
  });
  for (const one of logs) row(String(one[by.logs ?? ''] ?? '')).log = one;
  return [...rows.values()].sort((a, b) => (b.views ?? -1) - (a.views ?? -1) || (b.log?.requests ?? 0) - (a.log?.requests ?? 0));
}
