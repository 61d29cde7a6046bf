import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Book, browser, Video } from './stage.ts';
import { html5 } from '../../src/media/element.ts';

const FILM = 'https://cdn.test/film.mp4';

function fasten(be: Partial<Video> = {}): [Book, Video] {
  const video = Object.assign(new Video(), { currentSrc: FILM }, be);
  const book = new Book();
  html5(video.as())(book);
  return [book, video];
}

test('the playhead is read while it should move, and not while it rests', () => {
  const [book, video] = fasten();
  video.raise('play', { paused: false });
  assert.equal(book.poll(), 1);
  video.raise('pause', { paused: true });
  assert.equal(book.poll(), 0);
});

test('an element has one monitor: the second is refused with a sentence, until the first is gone', () => {
  const video = new Video().as();
  const letGo = html5(video)(new Book());
  const second = new Book();
  assert.throws(() => html5(video)(second), /has a monitor/);
  assert.deepEqual([second.told, second.facts], [[], {}]);
  (letGo as () => void)();
  assert.doesNotThrow(() => html5(video)(second));
});

test('play() right after another source was set is the next view\'s intent', () => {
  const [book, video] = fasten({ paused: false });
  video.raise('play playing', { paused: false });
  const before = book.told.length;
  // As browsers raise it: the address is known before the first of these events is.
  video.raise('emptied', { currentSrc: `${FILM}?2`, readyState: 0 });
  assert.deepEqual([book.sources, book.told.length], [[`${FILM}?2`], before]);
  video.raise('play waiting loadstart');
  assert.deepEqual(book.kinds().slice(before), ['PLAY', 'BUFFER_START']);
});

test('a timer reads often until the playhead moves evenly, then seldom; timeupdate tells in between', () => {
  const [book, video] = fasten();
  video.raise('play', { paused: false });
  const often = [...book.timers.values()];
  video.currentTime = 1.2;
  book.poll();
  const [seldom] = book.timers.values();
  assert.ok(book.timers.size === 1 && seldom! > 2 * often[0]!, `${often} then ${seldom}`);
  const read = book.moves.length;
  video.raise('timeupdate', { currentTime: 1.4 });
  assert.deepEqual(book.moves.slice(read), [[1.4, 1]]);
  video.raise('waiting');
  assert.deepEqual([...book.timers.values()], often);
});

test('a poll tells position and rate', () => {
  const [book, video] = fasten();
  video.raise('play playing', { paused: false });
  Object.assign(video, { currentTime: 1.5, playbackRate: 2 });
  book.poll();
  assert.deepEqual(book.moves.at(-1), [1.5, 2]);
  assert.deepEqual(book.kinds(), ['PLAY', 'PLAYING']);
});

test('an element that already plays began before anybody looked', () => {
  const [book] = fasten({ paused: false, played: { length: 1 }, currentTime: 30 });
  assert.deepEqual(book.kinds(), ['PLAYING']);
  assert.equal(book.poll(), 1);
});

test('an element that was told to play and has not yet is starting', () => {
  const [book] = fasten({ paused: false });
  assert.deepEqual(book.kinds(), ['PLAY']);
});

test('autoplay of a muted video waits from its loading on', () => {
  const [book, video] = fasten();
  video.raise('loadstart', { autoplay: true, muted: true, networkState: 2 });
  assert.deepEqual([book.told[0]?.kind, book.told[0]?.autoplay], ['PLAY', true]);
  video.raise('play playing', { paused: false });
  assert.deepEqual(book.kinds(), ['PLAY', 'PLAY', 'PLAYING']);
});

test('autoplay that the browser may refuse is told once it is allowed, from when the wait began', () => {
  browser.navigator.userActivation.hasBeenActive = false;
  const [book, video] = fasten();
  video.raise('loadstart', { autoplay: true, networkState: 2 });
  book.clock = 3_000;
  assert.deepEqual(book.kinds(), []);
  video.raise('play', { paused: false });
  assert.deepEqual([book.told[0]?.kind, book.told[0]?.at], ['PLAY', 1_000]);
  browser.navigator.userActivation.hasBeenActive = true;
});

test('autoplay that was refused all the same is a pause', () => {
  const [book, video] = fasten();
  video.raise('loadstart', { autoplay: true, muted: true, networkState: 2 });
  video.raise('canplaythrough', { readyState: 4 });
  assert.deepEqual(book.kinds(), ['PLAY', 'PAUSE']);
});

test('preload alone says nothing', () => {
  const [book, video] = fasten();
  video.raise('loadstart durationchange loadedmetadata canplay canplaythrough', { readyState: 4 });
  assert.deepEqual(book.kinds(), []);
});

test('the pause of the end is not told', () => {
  const [book, video] = fasten({ paused: false, played: { length: 1 } });
  video.raise('pause ended', { paused: true, ended: true });
  assert.deepEqual(book.kinds(), ['PLAYING', 'ENDED']);
});

test('a source that is taken away pauses without a word', () => {
  const [book, video] = fasten({ paused: false, played: { length: 1 } });
  video.raise('emptied', { paused: true });
  assert.deepEqual(book.kinds(), ['PLAYING', 'PAUSE']);
});

test('the first frame is told when it was presented, and no frame after it moved', () => {
  const [book, video] = fasten();
  video.raise('play', { paused: false });
  assert.equal(video.present(0), 1);
  assert.equal(video.present(0.04), 0);
  assert.deepEqual(book.moves.at(-1), [0.04, 1]);
});

test('media errors have a category; the page that aborts makes none', () => {
  for (const [code, category] of [[1, undefined], [2, 'technical'], [3, 'technical'], [4, 'content']] as const) {
    const [book, video] = fasten();
    video.raise('error error', { error: { code, message: 'why' } });
    const errors = book.told.map(({ error }) => error?.category);
    assert.deepEqual(errors, category ? [category] : []);
  }
});

test('an element that a library lets go of has not failed', () => {
  for (const currentSrc of ['', 'blob:https://page.test/1']) {
    const [book, video] = fasten({ currentSrc });
    video.raise('error', { error: { code: 4, message: 'Empty src attribute' } });
    assert.deepEqual(book.kinds(), []);
  }
});

test('sources that all fail raise nothing, and are a failure', () => {
  const [book, video] = fasten();
  video.raise('play', { paused: false, networkState: 3 });
  assert.deepEqual(book.kinds(), ['PLAY']);
  book.poll();
  book.poll();
  assert.deepEqual(book.kinds(), ['PLAY', 'PLAYER_ERROR']);
});

test('another source is another view, the same again is not', () => {
  const [book, video] = fasten();
  video.raise('emptied loadstart', { currentSrc: 'https://cdn.test/next.mp4' });
  video.raise('emptied loadstart');
  assert.deepEqual(book.sources, ['https://cdn.test/next.mp4']);
});

test('Media Source that is fastened again is no other source, and has no length of its own', () => {
  const [book, video] = fasten({ currentSrc: 'blob:https://page.test/1' });
  video.raise('emptied loadstart durationchange', { currentSrc: 'blob:https://page.test/2', duration: 60 });
  assert.deepEqual(book.sources, []);
  assert.equal(book.facts.durationSec, undefined);
});

test('length and kind of stream are the element\'s', () => {
  const [book, video] = fasten();
  video.raise('durationchange', { duration: 60 });
  assert.deepEqual([book.facts.durationSec, book.facts.streamType], [60, 'vod']);
  video.raise('durationchange', { duration: Infinity });
  assert.equal(book.facts.streamType, 'live');
});

test('the picture of a plain source has a size, and no bitrate', () => {
  const [book, video] = fasten();
  video.raise('resize', { videoWidth: 640, videoHeight: 360 });
  video.raise('resize');
  assert.deepEqual(book.told.map(({ quality }) => quality), [{ width: 640, height: 360 }]);
});

test('a key that was waited for is told once', () => {
  const [book, video] = fasten();
  video.raise('encrypted waitingforkey');
  book.clock = 1_240;
  video.raise('canplay');
  assert.equal(book.sampled().drmMs, 240);
  assert.equal(book.sampled().drmMs, undefined);
});

test('the buffer ahead, the size and how it is shown are sampled', () => {
  const [book, video] = fasten({ currentTime: 10, muted: true });
  video.buffered = { length: 2, start: (i) => [0, 30][i]!, end: (i) => [18.5, 40][i]! };
  assert.deepEqual(book.sampled().player, { width: 640, height: 360, bufferLengthSec: 8.5 });
  assert.deepEqual(book.facts.custom, { muted: true, presentation: 'inline' });
});

test('the page is told of once, the network at each change', () => {
  const [book] = fasten();
  browser.navigator.connection.downlink = 2;
  browser.navigator.connection.dispatchEvent(new Event('change'));
  assert.equal(book.told.at(-1)?.network?.downlinkMbps, 2);
  assert.equal(book.sampled().pageLoadMs, undefined);
});

test('nothing is heard any more after the end', () => {
  const [book, video] = fasten();
  book.destroy();
  video.raise('play playing seeking error loadstart', { paused: false });
  assert.deepEqual(book.kinds(), []);
});
