import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAway, waitMs } from '../../src/transport/backoff.ts';

const within = (wait: number, from: number, to: number): void => assert.ok(wait >= from && wait <= to, `${wait}`);

test('a wait is random below what doubles, and has a limit', () => {
  for (let failures = 0; failures < 20; failures++) within(waitMs(failures, 10, 500), 0, Math.min(500, 10 * 2 ** failures));
  assert.notEqual(waitMs(5, 1_000, 60_000), waitMs(5, 1_000, 60_000));
});

test('Retry-After is heeded as seconds and as a date, an hour at most, and nonsense not at all', () => {
  within(waitMs(0, 1, 1, '3'), 3_000, 3_001);
  within(waitMs(0, 1, 1, new Date(Date.now() + 5_000).toUTCString()), 3_000, 5_001);
  within(waitMs(0, 1, 1, new Date(Date.now() + 9e9).toUTCString()), 3_600_000, 3_600_001);
  for (const nonsense of [null, undefined, '', '0', '-4', 'soon', 'Thu, 01 Jan 1970 00:00:00 GMT']) {
    within(waitMs(0, 1, 1, nonsense), 0, 1);
  }
});

test('a server that is away is tried again, one that refuses is not', () => {
  assert.deepEqual([0, 408, 429, 500, 503].filter(isAway), [0, 408, 429, 500, 503]);
  assert.deepEqual([200, 204, 400, 401, 403, 410, 413].filter(isAway), []);
});
