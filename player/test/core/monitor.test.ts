import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { measure, openPage, play, type Measured, type Page } from './page.ts';

let page: Page;
let measured: Measured | undefined;

function open(...args: Parameters<typeof measure>): Measured {
  return (measured = measure(...args));
}

beforeEach(() => void (page = openPage()));
afterEach(() => measured?.monitor.destroy());

test('an idle player sends nothing; play intent sends what it told before', () => {
  const seen = open();
  seen.host.take('PLAYER_READY', { playerStartupMs: 80 });
  assert.deepEqual(seen.events, []);
  seen.host.take('PLAY', {}, 0);
  assert.deepEqual(seen.kinds(), ['VIEW_INIT', 'PLAYER_READY', 'PLAY']);
});

test('an idle player keeps a bounded number of events', () => {
  const seen = open();
  for (let n = 0; n < 300; n++) seen.host.take('REQUEST', { request: { status: 200 } });
  seen.host.take('PLAY', {}, 0);
  assert.equal(seen.events.length, 201);
});

test('an event from the past does not go before the one before it', () => {
  const seen = open();
  const end = play(seen);
  seen.host.take('QUALITY_CHANGE', {}, undefined, end);
  seen.host.take('CUSTOM', {}, undefined, end - 500);
  const [before, after] = seen.events.slice(-2);
  assert.equal(after?.monotonicMs, before?.monotonicMs);
});

test('each event says whose it is, facts go out once', () => {
  const seen = open({ video: { id: 'film', title: 'A film' } });
  play(seen);
  const [first, ...rest] = seen.events;
  assert.deepEqual([first?.videoId, first?.videoTitle], ['film', 'A film']);
  assert.ok(rest.every((event) => event.videoId === undefined));
  const whole = seen.events.every((event, seq) => event.seq === seq && event.viewerId && event.sessionId);
  assert.ok(whole && seen.events.every((event) => event.viewId === seen.monitor.viewId));
});

test('what was remembered again is told only where it changed', () => {
  const seen = open();
  seen.host.remember({ playerName: 'hls.js', custom: { plan: 'free' } });
  play(seen);
  seen.host.remember({ playerName: 'hls.js', custom: { plan: 'free', muted: true } });
  seen.monitor.event('like');
  const { playerName, custom } = seen.events.at(-1)!;
  assert.equal(playerName, undefined);
  assert.deepEqual(custom, { plan: 'free', muted: true, event: 'like' });
});

test('the first frame carries its startup time and leaves at once', () => {
  const seen = open();
  play(seen);
  const playing = seen.events.find((event) => event.eventType === 'PLAYING');
  assert.equal(playing?.startupMs, 0);
  assert.deepEqual(seen.urgent, ['PLAY', 'PLAYING']);
});

test('a stall is told in wall-clock time', () => {
  const seen = open();
  const end = play(seen);
  for (let at = 200; at <= 1_000; at += 200) seen.host.progress(2, 1, end + at);
  const { buffering, timestamp } = seen.events.at(-1)!;
  assert.ok(Math.abs(buffering!.startedAt! - timestamp) <= 1);
});

test('a silent player that plays is heard from', async () => {
  const seen = open({ heartbeatMs: 30 });
  seen.host.sample((fields) => void (fields.player = { fps: 25 }));
  play(seen);
  await wait(50);
  const beat = seen.events.at(-1);
  assert.deepEqual([beat?.eventType, beat?.state, beat?.player?.fps], ['HEARTBEAT', 'playing', 25]);
  assert.equal(beat?.engagement?.interactionCount, 0);
});

test('a paused player is not heard from', async () => {
  const seen = open({ heartbeatMs: 10 });
  const end = play(seen);
  seen.host.take('PAUSE', {}, 2, end);
  await wait(40);
  assert.equal(seen.kinds().at(-1), 'PAUSE');
});

test('requests keep no heartbeat from going out', async () => {
  const seen = open({ heartbeatMs: 40 });
  play(seen);
  const timer = setInterval(() => seen.host.take('REQUEST', { request: { status: 200 } }), 10);
  await wait(70);
  clearInterval(timer);
  assert.ok(seen.kinds().includes('HEARTBEAT'));
});

test('another video is another view, with facts of its own', () => {
  const seen = open({ video: { id: 'a', title: 'A' }, cdn: 'c1' });
  play(seen);
  const before = seen.monitor.viewId;
  seen.monitor.next({ id: 'b' });
  assert.equal(seen.kinds().at(-1), 'STOP');
  play(seen);
  const begun = seen.events.find((event) => event.viewId !== before)!;
  assert.deepEqual([begun.viewId, begun.seq, begun.videoId, begun.videoTitle, begun.cdn],
    [seen.monitor.viewId, 0, 'b', undefined, 'c1']); // prettier-ignore
});

test('a view that nobody asked to play keeps its name when the source changes', () => {
  const seen = open({ video: { id: 'a' } });
  const { viewId } = seen.monitor;
  seen.monitor.next({ id: 'b' });
  seen.host.source('b.m3u8');
  play(seen);
  assert.equal(seen.monitor.viewId, viewId);
  assert.equal(seen.events[0]?.videoId, 'b');
});

test('after a source change the start counts from the play intent that follows, not from the change', () => {
  const seen = open();
  const end = play(seen);
  seen.host.source('b.m3u8');
  seen.host.take('PLAY', {}, 0, end + 5_000);
  for (let at = 0; at <= 600; at += 200) seen.host.progress(0, 1, end + 5_000 + at);
  for (let at = 0; at <= 1_000; at += 200) seen.host.progress(at / 1_000, 1, end + 5_800 + at);
  const starts = seen.events.filter(({ eventType }) => eventType === 'PLAYING').map(({ startupMs }) => startupMs);
  assert.deepEqual(starts, [0, 800]);
});

test('who goes on without asking to play has no startup time: a channel\'s next programme', () => {
  const seen = open();
  const end = play(seen);
  seen.monitor.next({ id: 'b' });
  for (let at = 200; at <= 2_000; at += 200) seen.host.progress(2 + at / 1_000, 1, end + at);
  const starts = seen.events.filter(({ eventType }) => eventType === 'PLAYING');
  const { viewId } = seen.monitor;
  assert.deepEqual(starts.map((event) => [event.viewId === viewId, event.startupMs]), [[false, 0], [true, undefined]]);
});

test('a replay stays in the view, or is one of its own', () => {
  for (const replayIsNewView of [false, true]) {
    const seen = open({ replayIsNewView });
    const { viewId } = seen.monitor;
    seen.host.take('ENDED', {}, 2, play(seen));
    seen.host.take('PLAY', {}, 0);
    assert.equal(seen.events.at(-1)?.viewId === viewId, !replayIsNewView);
    seen.monitor.destroy();
  }
});

test('a page that is left ends the view by beacon', () => {
  const seen = open();
  play(seen);
  page.window.dispatchEvent(new Event('pagehide'));
  assert.deepEqual([seen.kinds().at(-1), seen.calls.at(-1)], ['STOP', 'leaving']);
  assert.ok(!seen.urgent.includes('STOP'));
});

test('a page that comes back begins another view', () => {
  const seen = open();
  play(seen);
  const before = seen.monitor.viewId;
  page.window.dispatchEvent(new Event('pagehide'));
  play(seen);
  assert.notEqual(seen.events.at(-1)?.viewId, before);
});

test('a hidden page says so by beacon, and once', () => {
  const seen = open();
  play(seen);
  page.document.hidden = true;
  page.document.dispatchEvent(new Event('visibilitychange'));
  assert.deepEqual([seen.events.at(-1)?.hidden, seen.calls.at(-1)], [true, 'leaving']);
  assert.ok(!seen.urgent.includes('VISIBILITY'));
});

test('nothing is kept or sent of the viewer in cookieless mode', () => {
  const seen = open({ consent: 'cookieless', viewerId: 'me' });
  play(seen);
  assert.deepEqual(page.localStorage, {});
  assert.ok(seen.events.every((event) => !('viewerId' in event) && event.sessionId));
});

test('consent taken down to cookieless: what was agreed to leaves by beacon, nothing of it is kept', () => {
  const seen = open();
  play(seen);
  assert.ok(Object.keys(page.localStorage).length);
  seen.monitor.consent('cookieless');
  assert.deepEqual(seen.calls.slice(-3), ['leaving', 'forget', 'made']);
  assert.deepEqual([page.localStorage, seen.kinds().at(-1)], [{}, 'STOP']);
});

test('who comes back without full consent finds nothing kept of earlier visits', () => {
  Object.assign(page.localStorage, { playhead: 'me session 1', 'playhead:door 0.1': '[]', other: 'the site' });
  open({ consent: 'none' });
  assert.deepEqual(page.localStorage, { other: 'the site' });
});

test('Global Privacy Control is cookieless, unless the page says otherwise', () => {
  page = openPage({ globalPrivacyControl: true });
  assert.equal(open().monitor.viewerId, '');
  assert.notEqual(open({ honourGpc: false }).monitor.viewerId, '');
});

test('consent taken back forgets what is kept; given again, measures anew', () => {
  const seen = open();
  const { viewerId } = seen.monitor;
  play(seen);
  seen.monitor.consent('none');
  seen.host.take('PLAY', {}, 0);
  assert.deepEqual([seen.kinds().at(-1), seen.calls.at(-1)], ['STOP', 'forget']);
  seen.monitor.consent('full');
  assert.notEqual(seen.monitor.viewerId, viewerId);
});

test('errors of adapters and callbacks reach the report, never the page', () => {
  const broken = (): never => {
    throw new Error('broken');
  };
  const seen = open({ onEvent: broken }, broken);
  play(seen);
  assert.ok(seen.reports.length > 1 && seen.reports.every((report) => report.what === 'fault'));
  assert.equal(seen.kinds().at(-1), 'PLAYING');
});

test('where nobody listens to reports, the console is told of a fault', (context) => {
  const warned = context.mock.method(console, 'warn', () => undefined);
  const adapter = (): never => {
    throw new Error('there is no element');
  };
  open({ onReport: undefined } as never, adapter);
  assert.equal(warned.mock.callCount(), 1);
  assert.match(String(warned.mock.calls[0]?.arguments[1]), /no element/);
});

test('destroy ends the view and lets go of everything', () => {
  let undone = 0;
  const seen = open({}, () => () => undone++);
  const target = new EventTarget();
  let heard = 0;
  seen.host.listen(target as never, 'x', () => heard++);
  play(seen);
  seen.monitor.destroy();
  target.dispatchEvent(new Event('x'));
  seen.host.take('PLAY', {}, 0);
  assert.deepEqual([seen.kinds().at(-1), seen.calls.at(-1), undone, heard], ['STOP', 'close', 1, 0]);
  assert.deepEqual([page.document.listeners, page.window.listeners], [0, 0]);
});

test('after destroy() nothing begins again, whatever is called', async () => {
  const seen = open({ heartbeatMs: 5, replayIsNewView: true });
  play(seen);
  seen.monitor.destroy();
  const [events, calls] = [seen.events.length, seen.calls.length];
  seen.monitor.consent('full');
  seen.monitor.next({ id: 'b' });
  seen.monitor.ad('AD_START', { id: 'a' });
  seen.monitor.error({ code: 'X', fatal: true });
  await wait(20);
  assert.deepEqual([seen.events.length, seen.calls.filter((call) => call === 'made').length], [events, 1]);
  assert.ok(!seen.calls.slice(calls).includes('made'));
  assert.equal(seen.monitor.state, 'stopped');
});

test('two monitors of one page share viewer and session, not the view', () => {
  const one = measure();
  const two = open();
  assert.equal(one.monitor.viewerId, two.monitor.viewerId);
  assert.equal(one.monitor.sessionId, two.monitor.sessionId);
  assert.notEqual(one.monitor.viewId, two.monitor.viewId);
  one.monitor.destroy();
});
