/** Fewer points where a line has more than there are pixels: its highs and lows stay. */

export type Values = readonly (number | null)[];

/** Columns of this many pixels: a line is drawn that wide. */
const COLUMN_PX = 2;
/** A column keeps so many moments of one line: its lowest, its highest and the gaps between. */
const KEPT = 3;

/**
 * Return moments and lines with at most a few points a column of two pixels.
 *
 * Every point kept is one that was there; of each line the lowest, the highest and the first gap of a
 * column are kept, with the values the other lines have at these moments. The first and the last moment stay.
 */
export function thin(times: readonly number[], lines: readonly Values[], widthPx: number): { times: readonly number[]; lines: readonly Values[] } {
  const columns = Math.max(1, Math.floor(widthPx / COLUMN_PX));
  const most = times.length;
  if (most <= columns * KEPT) return { times, lines };
  const [begin, end] = [times[0] ?? 0, times[most - 1] ?? 0];
  const scale = columns / (end - begin || 1);
  const kept: number[] = [0];
  const keep = new Set<number>();
  for (let from = 0; from < most; ) {
    const column = Math.floor(((times[from] ?? 0) - begin) * scale);
    let to = from + 1;
    while (to < most && Math.floor(((times[to] ?? 0) - begin) * scale) === column) to += 1;
    for (const line of lines) extremes(line, from, to, keep);
    for (const at of [...keep].sort((a, b) => a - b)) if (at > 0 && at < most - 1) kept.push(at);
    keep.clear();
    from = to;
  }
  kept.push(most - 1);
  return { times: kept.map((at) => times[at] ?? 0), lines: lines.map((line) => kept.map((at) => line[at] ?? null)) };
}

/** Adds where a line is lowest and highest from one place to before another, and its first gap there. */
function extremes(line: Values, from: number, to: number, keep: Set<number>): void {
  let [low, high, gap] = [-1, -1, -1];
  for (let at = from; at < to; at += 1) {
    const value = line[at] ?? null;
    if (value === null) {
      if (gap < 0) gap = at;
      continue;
    }
    if (low < 0 || value < (line[low] ?? 0)) low = at;
    if (high < 0 || value > (line[high] ?? 0)) high = at;
  }
  for (const at of [low, high, gap]) if (at >= 0) keep.add(at);
}
