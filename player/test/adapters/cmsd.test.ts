import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hopsOf } from '../../src/adapters/cmsd.ts';

test('each server on the way is a hop', () => {
  const hops = hopsOf('"origin";rd=12, "CDN-A";etp=96000;mb=25000;rtt=8;du');
  assert.deepEqual(hops, [
    { name: 'origin', delayMs: 12 },
    { name: 'CDN-A', throughputKbps: 96000, maxBitrateKbps: 25000, rttMs: 8, duress: true },
  ]);
});

test('signs in quotes cut nothing, a name may be a key', () => {
  assert.deepEqual(hopsOf('"a,b;c \\"d\\"";rtt=1, n="edge";du=?0'), [
    { name: 'a,b;c "d"', rttMs: 1 },
    { name: 'edge', duress: false },
  ]);
});

test('what cannot be read is left out', () => {
  assert.deepEqual(hopsOf('"x";later=5;rtt=2'), [{ name: 'x', rttMs: 2 }]);
  assert.deepEqual(hopsOf(''), []);
});
