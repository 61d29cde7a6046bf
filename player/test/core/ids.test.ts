import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { identify, uuid7 } from '../../src/core/ids.ts';
import { openPage, type Page } from './page.ts';

const CONFIG = { endpoint: 'http://localhost' };
let page: Page;
beforeEach(() => void (page = openPage()));

test('view ids are UUIDv7, none like another', () => {
  const ids = Array.from({ length: 1_000 }, uuid7);
  assert.ok(ids.every((id) => /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.test(id)));
  assert.equal(new Set(ids).size, ids.length);
  const age = Date.now() - parseInt(ids[0]!.replaceAll('-', '').slice(0, 12), 16);
  assert.ok(age >= 0 && age < 10_000);
});

test('a session goes on within 30 minutes, a viewer stays', () => {
  const first = identify(CONFIG, 'full');
  first._touch(Date.now());
  const second = identify(CONFIG, 'full');
  assert.deepEqual(second._who, first._who);
  page.localStorage.playhead = `v1 s1 ${Date.now() - 1_800_001}`;
  const later = identify(CONFIG, 'full');
  assert.deepEqual([later._who.viewerId, later._who.sessionId === 's1'], ['v1', false]);
});

test('a session that falls silent for 30 minutes is over', () => {
  const ids = identify(CONFIG, 'full');
  assert.ok(ids._touch(1_800_000_000_000) && ids._touch(1_800_001_799_999));
  assert.ok(!ids._touch(1_800_003_600_000));
});

test('nothing is kept where the page wants no storage, and refused storage does no harm', () => {
  identify({ ...CONFIG, storage: false }, 'full')._touch(Date.now());
  assert.deepEqual(page.localStorage, {});
  Object.defineProperty(globalThis, 'localStorage', { get: () => assert.fail('denied'), configurable: true });
  assert.ok(identify(CONFIG, 'full')._who.viewerId);
});

test('a viewer id of the page is used and never stored', () => {
  const ids = identify({ ...CONFIG, viewerId: 'me' }, 'full');
  ids._touch(Date.now());
  assert.equal(ids._who.viewerId, 'me');
  assert.ok(!page.localStorage.playhead?.includes('me'));
});
