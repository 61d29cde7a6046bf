/**
 * When charts are drawn: all together they get a part of each frame, so that no frame is late however
 * many charts have new numbers. What there is no room for is drawn in the next frame.
 */

/** Work of scripts a frame. */
const BUDGET_MS = 3;
/** Charts a frame: to put one on the screen takes the browser longer than to draw it takes the script. */
const MOST = 4;

/** The newest drawing of each chart, the one that waits longest first. */
const waiting = new Map<object, () => void>();
let due = 0;

function turn(): void {
  const began = performance.now();
  let drawn = 0;
  for (const [chart, draw] of waiting) {
    waiting.delete(chart);
    draw();
    drawn += 1;
    if (drawn >= MOST || performance.now() - began >= BUDGET_MS) break;
  }
  due = waiting.size ? requestAnimationFrame(turn) : 0;
}

/** Draws a chart as soon as there is room; an older drawing of it that still waits is left out. */
export function paint(chart: object, draw: () => void): void {
  waiting.set(chart, draw);
  due ||= requestAnimationFrame(turn);
}

/** Forgets what waits for a chart that is gone. */
export function unpaint(chart: object): void {
  waiting.delete(chart);
}
