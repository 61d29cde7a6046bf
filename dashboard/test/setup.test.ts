import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snippets } from '../src/screens/setup/snippets.ts';
import { stepsOf, type Baseline, type News, type Status } from '../src/screens/setup/status.ts';

const BUSY: Baseline = { at: '2026-01-01T00:00:00.000Z', in: 100, stored: 100 };
const EMPTY: Baseline = { at: '', in: 0, stored: 0 };

function status(events: number, stored = events): Status {
  const lag = { records: 0, events: events - stored, ms: 0, reason: null };
  return { version: '1', lag, events: { in: events, stored, quarantined: 0, dropped: {}, duplicates: 0, pending: 0, equation_holds: true } };
}

function states(now: Status, since: Baseline, news: Partial<News> = {}): string {
  return stepsOf(now, since, { videoId: 'my-film', views: [], viewers: 0, ...news }).map((one) => one.state[0]).join('');
}

test('what others send ticks no step, and is told', () => {
  assert.equal(states(status(160), BUSY), 'wwwww');
  assert.match(stepsOf(status(160), BUSY, { videoId: 'my-film', views: [], viewers: 9 })[0]?.text ?? '', /60 events .* none .* my-film/);
});

test('a view of the video that is waited for ticks them all', () => {
  const views = [{ view_id: 'a', event_count: 3 }];
  assert.equal(states(status(160), BUSY, { views, viewers: 1 }), 'ddddd');
  assert.equal(states(status(160), BUSY, { views }), 'ddddw');
});

test('an empty server ticks step by step', () => {
  assert.deepEqual([states(status(0), EMPTY), states(status(2, 0), EMPTY), states(status(2), EMPTY)], ['wwwww', 'ddwww', 'dddww']);
  const refused = { ...status(0), refusals: [{ at: '2026', door: 'telemetry', property: '', code: 'invalid_event', message: 'no', field: 'timestamp' }] };
  assert.equal(states(refused, EMPTY), 'dfwww');
});

test('snippets declare what they name, and measure before the source is loaded', () => {
  const all = snippets({ base: 'http://here', key: 'abc', videoId: 'film-1' });
  for (const { id, code } of all.filter((one) => one.id !== 'curl')) {
    assert.match(code, /http:\/\/here\/sdk\/playhead\.js/, id);
    assert.match(code, /key: 'abc',\n {4}video: \{ id: 'film-1'/, id);
    for (const name of ['hls', 'player', 'video']) {
      if (new RegExp(`\\b${name}[.,)]`).test(code.replaceAll(/'[^']*'/g, ''))) assert.match(code, new RegExp(`const ${name} =`), `${id} ${name}`);
    }
    const load = /loadSource|attachSource|\.load\(|\.src\(/.exec(code)?.index ?? Infinity;
    assert.ok(code.indexOf('Playhead.monitor') < load, id);
  }
});

test('an address puts no code into a snippet', () => {
  const all = snippets({ base: 'http://here', key: "'});evil({'", videoId: '</script>' }).map((one) => one.code).join('\n');
  assert.ok(!all.includes('evil'));
  assert.ok(!all.includes("id: '</script>"));
});
