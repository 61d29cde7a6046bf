/** Steps of colour for numbers that differ by powers: audiences do. */

const STEPS = 5;
const FACTOR = 2.5;

export interface Scale {
  /** The least number of each step, rising; the first is 0. */
  edges: number[];
  /** The step that begins at the first edge; the last is always 5. */
  first: number;
  /** Return the step of a number: 0 none, else `first` (few) to 5 (most). */
  step(value: number | null | undefined): number;
}

/** Return steps below a largest number, each two and a half times the one before. */
export function scaleTo(most: number, whole: boolean): Scale {
  const edges = [0];
  for (let power = STEPS - 1; power > 0; power -= 1) {
    const edge = most / FACTOR ** power;
    const round = whole ? Math.ceil(edge) : edge;
    if (round > (edges.at(-1) ?? 0) + (whole ? 1 : 0)) edges.push(round);
  }
  const first = STEPS + 1 - edges.length;
  return {
    edges,
    first,
    step: (value) => (value ? first - 1 + edges.filter((edge) => value >= edge).length : 0),
  };
}
