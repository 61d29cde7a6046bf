import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineOf } from '../../src/debug/lines.ts';
import type { WireEvent } from '../../src/wire/event.ts';

const events = ['PLAY', 'PLAYING'].map((eventType, seq) => ({ eventType, seq, timestamp: 0 })) as WireEvent[];

test('a batch is named by its events', () => {
  const line = lineOf({ at: 3_723_004, what: 'sent', text: '90', events });
  assert.equal(line.at, '01:02:03.004');
  assert.equal(line.text, '90 characters · 2: PLAY#0 PLAYING#1');
});

test('an answer counts, and gives the reason for each event it refused', () => {
  const body = JSON.stringify({
    ok: true,
    accepted: 1,
    rejected: [{ index: 1, code: 'invalid_event', message: 'No <b>timestamp</b>.' }],
  });
  const line = lineOf({ at: 0, what: 'answer', text: '', events, status: 200, body });
  assert.equal(line.text, '200 · 1 taken, 1 not');
  assert.deepEqual(line.details, ['PLAYING#1: invalid_event – No <b>timestamp</b>.']);
});

test('a refusal says what the server said, even where it is no JSON', () => {
  const refused = lineOf({ at: 0, what: 'answer', text: '', events, status: 502, body: '<h1>Bad</h1>' });
  assert.equal(refused.text, '502 <h1>Bad</h1>');
  assert.match(lineOf({ at: 0, what: 'answer', text: '', status: 0, body: 'offline' }).text, /no answer: offline/);
  assert.match(lineOf({ at: 0, what: 'kept', text: '401', events }).text, /^401: left for the next visit · 2: PLAY/);
});
