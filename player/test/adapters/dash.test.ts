import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Book, Emitter, Video } from '../media/stage.ts';
import { type Dash, dashAdapter } from '../../src/adapters/dash.ts';

/** Emits what dash.js 5.2 emits. */
class Player extends Emitter implements Dash {
  live = false;
  source: unknown = '/film.mpd';
  getVersion = () => '5.2.1';
  isReady = () => true;
  isDynamic = () => this.live;
  duration = () => 60;
  getSource = () => this.source;
  getAverageThroughput = () => 4_812;
  getCurrentLiveLatency = () => 3.1;
}

function fasten(): [Book, Player, Video] {
  const [book, player, video] = [new Book(), new Player(), new Video()];
  dashAdapter(player, video.as())(book);
  return [book, player, video];
}

const representation = { bitrateInKbit: 750, width: 640, height: 360, codecs: 'avc1.42c01e', frameRate: 25 };
const segment = {
  type: 'MediaSegment', url: 'https://a.test/1.m4s', actualurl: null, responsecode: 200,
  trequest: new Date(1_000), tresponse: new Date(1_050), _tfinish: new Date(1_200), trace: [{ b: [4_000] }, { b: [6_000] }],
  _stream: 'video', _mediaduration: 2, _responseHeaders: 'cmsd-dynamic: "CDN-A";rtt=8\r\n', _serviceLocation: 'a',
};

test('the picture\'s rendition on screen is told, the sound\'s is not', () => {
  const [book, player] = fasten();
  player.emit('qualityChangeRendered', { mediaType: 'audio', newRepresentation: representation });
  player.emit('qualityChangeRendered', { mediaType: 'video', newRepresentation: representation });
  assert.deepEqual(book.told.map(({ quality }) => quality), [
    { bitrateKbps: 750, width: 640, height: 360, codec: 'avc1.42c01e', fps: 25 },
  ]);
});

test('a request is told with all that the metric says', () => {
  const [book, player] = fasten();
  player.emit('fragmentLoadingStarted', { request: { url: segment.url, representation } });
  player.emit('metricAdded', { metric: 'HttpList', value: segment });
  assert.deepEqual(book.told[0]?.request, {
    kind: 'video', url: segment.url, host: 'a.test', status: 200, bytes: 10_000, bitrateKbps: 750,
    objectMs: 2_000, cdn: 'a', ttfbMs: 50, totalMs: 200, cmsd: '"CDN-A";rtt=8',
  });
});

test('redirects and cancelled requests are none', () => {
  const [book, player] = fasten();
  const { trace: _, ...redirect } = segment;
  player.emit('metricAdded', { metric: 'HttpList', value: redirect });
  player.emit('metricAdded', { metric: 'HttpList', value: { ...segment, responsecode: 0 } });
  player.emit('metricAdded', { metric: 'BufferLevel', value: {} });
  assert.deepEqual(book.kinds(), []);
});

test('a download that fails is fatal only with nothing left to play', () => {
  const [book, player, video] = fasten();
  video.readyState = 4;
  player.emit('error', { error: { code: 27, message: 'https://a.test/9.m4s?t=secret is not available' } });
  video.readyState = 1;
  player.emit('error', { error: { code: 27, message: '' } });
  player.emit('error', { error: { code: 25, message: '' } });
  assert.deepEqual(book.told.map(({ error }) => error?.fatal), [false, true, true]);
  assert.equal(book.told[0]?.error?.message, 'https://a.test/9.m4s is not available');
});

test('another manifest is another view, a refreshed one is not', () => {
  const [book, player] = fasten();
  player.emit('manifestLoadingStarted', {});
  player.emit('manifestLoadingStarted', {});
  player.source = '/next.mpd';
  player.emit('manifestLoadingStarted', {});
  assert.deepEqual(book.sources, ['https://page.test/next.mpd']);
});

test('the player is ready once a source, and knows its kind', () => {
  const [book, player] = fasten();
  player.live = true;
  book.clock += 150;
  player.emit('streamInitialized', {});
  player.emit('streamInitialized', {});
  assert.deepEqual(book.told.map(({ playerStartupMs }) => playerStartupMs), [150]);
  assert.deepEqual([book.facts.streamType, book.sampled().liveLatencyMs], ['live', 3_100]);
});

test('the first licence is timed until its key is there', () => {
  const [book, player] = fasten();
  player.emit('public_licenseRequestSending', { url: 'https://drm.test/licence' });
  book.clock += 200;
  player.emit('public_licenseRequestComplete', {});
  book.clock += 40;
  player.emit('public_keySessionUpdated', {});
  assert.deepEqual([book.told[0]?.request?.kind, book.told[0]?.request?.totalMs], ['key', 200]);
  assert.equal(book.sampled().drmMs, 240);
});

test('nothing is listened to after the end', () => {
  const [book, player] = fasten();
  book.destroy();
  assert.equal(player.listeners(), 0);
});
