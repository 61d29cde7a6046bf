import assert from 'node:assert/strict';
import { test } from 'node:test';

const turns: (() => void)[] = [];
Object.assign(globalThis, { requestAnimationFrame: (turn: () => void) => turns.push(turn) });
const { paint, unpaint } = await import('../src/parts/painting.ts');
const { thin } = await import('../src/parts/thin.ts');

/** Return how many charts each frame drew until nothing waits. */
function frames(drawn: string[]): string[] {
  const out: string[] = [];
  for (let turn = turns.shift(); turn; turn = turns.shift()) {
    drawn.length = 0;
    turn();
    out.push(drawn.join(''));
  }
  return out;
}

test('charts share the frames, each in its turn and only its newest drawing', () => {
  const drawn: string[] = [];
  const charts = Array.from({ length: 6 }, (_, index) => ({ index }));
  for (const chart of charts) paint(chart, () => drawn.push('old'));
  for (const chart of charts) paint(chart, () => drawn.push(String(chart.index)));
  unpaint(charts[5] as object);
  assert.deepEqual(frames(drawn), ['0123', '4']);
  assert.equal(turns.length, 0);
});

test('a thinned line keeps its ends, its peaks and its gaps', () => {
  const times = Array.from({ length: 10_000 }, (_, at) => at);
  const values: (number | null)[] = times.map((at) => at % 7);
  [values[4_321], values[7_777]] = [1_000, null];
  const { times: kept, lines } = thin(times, [values], 400);
  assert.ok(kept.length <= 3 * 200 + 4, String(kept.length));
  assert.deepEqual([kept[0], kept.at(-1)], [0, 9_999]);
  assert.equal(lines[0]?.[kept.indexOf(4_321)], 1_000);
  assert.equal(lines[0]?.[kept.indexOf(7_777)], null);
  assert.ok(kept.every((at, index) => index === 0 || at > (kept[index - 1] ?? 0)));
});

test('a short line stays as it is', () => {
  const times = [1, 2, 3];
  const values = [[1, null, 3]];
  assert.equal(thin(times, values, 400).times, times);
  assert.equal(thin(times, values, 400).lines, values);
});
