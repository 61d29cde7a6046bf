import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import NOT_OURS from './not_ours.json' with { type: 'json' };
import { replay, type Vector } from './replay.ts';

/** The test runs from `player/`. */
const VECTORS = '../tests/vectors';
const WIRE = ['ads', 'content', 'ends', 'errors', 'hidden', 'pauses', 'rates', 'seeks', 'stalls', 'startup'];
const CLOSE_MS = 2;
/** The server stops counting a silent or hidden picture; the tally counts as long as it is asked to. */
const SILENT = ['picture-stands', 'hidden-picture-stands', 'hidden-timeout', 'vanished-player', 'vanished-player-closed',
  'slow-heartbeats-declared', 'paused-view-stays-paused',
  'silence-with-standing-playhead', 'vanished-before-start', 'startup-in-hidden-tab']; // prettier-ignore

function load(path: string): [string, Vector][] {
  const vectors = JSON.parse(readFileSync(`${VECTORS}/${path}`, 'utf8')) as Vector[];
  return vectors.map((vector) => [path, vector]);
}

const files = readdirSync(`${VECTORS}/player`).filter((name) => name.endsWith('.json'));
const vectors = [...files.map((file) => `player/${file}`), ...WIRE.map((name) => `${name}.json`)].flatMap(load);

for (const [path, vector] of vectors.filter(([, { name }]) => !(name in NOT_OURS) && !SILENT.includes(name))) {
  test(`${path}: ${vector.name}`, () => {
    const { tally, followed } = replay(vector);
    const { intervals: told, ...counts } = tally;
    const { intervals: seen, ...again } = followed;
    assert.equal(told.length, seen.length);
    for (const [name, value] of Object.entries(counts)) {
      const other = again[name as keyof typeof again];
      const close = typeof value === 'number' && Math.abs(value - Number(other)) <= CLOSE_MS;
      assert.deepEqual([name, close ? value : other], [name, value]);
    }
    for (const [name, value] of Object.entries(vector.expect?.views?.[0] ?? {})) {
      if (!(name in counts)) continue;
      const counted = counts[name as keyof typeof counts];
      const close = typeof value === 'number' && Math.abs(value - Number(counted)) <= CLOSE_MS;
      assert.deepEqual([name, close ? value : counted], [name, value]);
    }
  });
}
