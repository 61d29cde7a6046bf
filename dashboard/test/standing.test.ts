import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveRow } from '../src/live.svelte.ts';
import { standings, troubles } from '../src/screens/now/standing.ts';

const BUCKETS = 72;

/** Six minutes of a group; `now` holds for the last minute. */
function series(group: string, viewers: number, now: Partial<LiveRow> = {}): LiveRow[] {
  return Array.from({ length: BUCKETS }, (_, at) => ({
    time: new Date(at * 5_000).toISOString(), group, concurrent_viewers: viewers, starting_up: 0, rebuffering: 0,
    rebuffering_percentage: 0, bitrate_kbps: 6_000, failures: 0, starts: 0, ...(at >= BUCKETS - 12 ? now : {}),
  }));
}

function found(rows: LiveRow[], dimension = 'cdn'): string[] {
  return troubles(dimension, standings(rows)).map((one) => `${one.group} ${one.kind}`);
}

test('the CDN whose viewers stall is named within a minute, with numbers', () => {
  const rows = [...series('aurora', 30, { rebuffering: 9 }), ...series('cirrus', 40), ...series('monsoon', 20)];
  const [one] = troubles('cdn', standings(rows));
  assert.deepEqual([one?.group, one?.kind, one?.viewers], ['aurora', 'rebuffering', 30]);
  assert.equal(one?.says, '30 % rebuffering, of all others 0 %');
});

test('a bitrate that fell is told; one that was always low only of a CDN, which is the same for everybody', () => {
  const fell = [...series('IN', 30, { bitrate_kbps: 1_600 }), ...series('DE', 40)];
  assert.deepEqual(found(fell, 'country'), ['IN bitrate']);
  const always = [...series('IN', 30).map((row) => ({ ...row, bitrate_kbps: 1_600 })), ...series('DE', 40)];
  assert.deepEqual(found(always, 'country'), []);
  assert.deepEqual(troubles('cdn', standings(always)).map((one) => one.says), ['bitrate 1.6 Mbit/s, all others 6 Mbit/s']);
});

test('what one viewer of five meets is chance', () => {
  assert.deepEqual(found([...series('small', 5, { rebuffering: 1 }), ...series('large', 95, { rebuffering: 1 })]), []);
  assert.deepEqual(found([...series('a', 30, { rebuffering: 9 }), ...series('b', 30, { rebuffering: 8 })]), []);
});

test('groups come by viewers, all others last', () => {
  const others = series('', 90).map((row) => ({ ...row, other: true }));
  const all = standings([...others, ...series('a', 3), ...series('b', 7), ...series('gone', 0)]);
  assert.deepEqual(all.map((one) => one.group), ['b', 'a', null]);
  assert.equal(all[0]?.before, 7);
});
