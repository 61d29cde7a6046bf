import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { WireEvent } from '../../src/wire/event.ts';
import { replay, type Vector } from './replay.ts';

/** The test runs from `player/`. */
const VECTORS = '../tests/vectors/player';
/** Ten of a ms: polls are summed in floating point. */
const CLOSE_S = 0.002;

function load(): [file: string, vector: Vector][] {
  const files = readdirSync(VECTORS).filter((name) => name.endsWith('.json'));
  return files.flatMap((file) => {
    const vectors = JSON.parse(readFileSync(`${VECTORS}/${file}`, 'utf8')) as Vector[];
    return vectors.map((vector) => [file, vector] as [string, Vector]);
  });
}

function row(event: WireEvent, like: unknown[] | undefined): unknown[] {
  const at = event.timestamp - 1_790_000_000_000;
  const position = event.playbackPositionSec;
  const told = like?.[2];
  const close = typeof told === 'number' && position !== undefined && Math.abs(position - told) <= CLOSE_S;
  const out: unknown[] = [event.eventType, at, close ? told : (position ?? null)];
  return like && like.length > 3 ? [...out, event.state] : like?.length === 2 ? out.slice(0, 2) : out;
}

for (const [file, vector] of load()) {
  test(`${file}: ${vector.name}`, () => {
    const sent = vector.expect?.sent ?? [];
    const { events } = replay(vector);
    assert.deepEqual(events.map((event, index) => row(event, sent[index])), sent);
  });
}
