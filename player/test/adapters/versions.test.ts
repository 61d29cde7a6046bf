/** The players' own types fit what the adapters ask for: this file must pass the type checker. */

import type { MediaPlayerClass } from 'dashjs';
import type RealHls from 'hls.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type shaka from 'shaka-player/dist/shaka-player.compiled.js';
import type RealVideojs from 'video.js/dist/types/player.js';
import type { Dash } from '../../src/adapters/dash.ts';
import type { Hls } from '../../src/adapters/hls.ts';
import type { Shaka } from '../../src/adapters/shaka.ts';
import type { Videojs } from '../../src/adapters/videojs.ts';

const hls = (player: RealHls): Hls => player;
const dash = (player: MediaPlayerClass): Dash => player;
const shakaPlayer = (player: shaka.Player): Shaka => player;
const videojs = (player: RealVideojs): Videojs => player;

test('the adapters take the players as their packages type them', () => {
  for (const fits of [hls, dash, shakaPlayer, videojs]) assert.equal(typeof fits, 'function');
});
