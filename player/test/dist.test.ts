/** What is built, as a page gets it. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';

const SCRIPT = 'dist/playhead.js';
const CALLS = ['monitor', 'monitorHls', 'monitorDash', 'monitorShaka', 'monitorVideojs', 'TelemetryPlugin', 'configureHls', 'PublisherMonitor', 'overlay'];

test('the script tag gives the page everything as Playhead', { skip: !existsSync(SCRIPT) && 'not built' }, () => {
  const page: { Playhead?: Record<string, unknown> } = {};
  runInNewContext(readFileSync(SCRIPT, 'utf8'), page);
  assert.deepEqual(CALLS.filter((call) => typeof page.Playhead?.[call] !== 'function'), []);
});

test('the script tag is one file; parts that an entry fetches later are there', { skip: !existsSync(SCRIPT) && 'not built' }, () => {
  assert.doesNotMatch(readFileSync(SCRIPT, 'utf8'), /\bimport\(/);
  const files = ['dist', 'dist/parts'].flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith('.js')).map((name) => `${folder}/${name}`));
  const later = files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/\bimport\("(.+?)"\)/g)].map(([, part]) => new URL(part!, `file:///${file}`).pathname));
  assert.ok(later.length >= 2);
  assert.deepEqual(later.filter((path) => !files.includes(path.slice(1))), []);
});
