/** What is built, as a page gets it. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';

const SCRIPT = 'dist/playhead.js';
const CALLS = ['monitor', 'monitorHls', 'monitorDash', 'monitorShaka', 'monitorVideojs', 'TelemetryPlugin', 'configureHls', 'PublisherMonitor', 'overlay'];

test('the script tag gives the page everything as Playhead', { skip: !existsSync(SCRIPT) && 'not built' }, () => {
  const page: { Playhead?: Record<string, unknown> } = {};
  runInNewContext(readFileSync(SCRIPT, 'utf8'), page);
  assert.deepEqual(CALLS.filter((call) => typeof page.Playhead?.[call] !== 'function'), []);
});
