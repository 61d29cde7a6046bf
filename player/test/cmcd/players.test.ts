/** The real players' own types are what `configure…` takes; this file need only compile. */

import test from 'node:test';
import assert from 'node:assert/strict';
import type Hls from 'hls.js';
import type { MediaPlayerClass } from 'dashjs';
import type { CmcdDash, CmcdHls } from '../../src/cmcd.ts';

function hlsFits(hls: Hls): CmcdHls {
  return hls;
}

function dashFits(player: MediaPlayerClass): CmcdDash {
  return player;
}

test('hls.js and dash.js are what configureHls and configureDash take', () => {
  assert.equal(typeof hlsFits, 'function');
  assert.equal(typeof dashFits, 'function');
});
