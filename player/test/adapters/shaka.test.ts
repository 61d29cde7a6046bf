import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Book, Video } from '../media/stage.ts';
import { type Shaka, type ShakaTrack, shakaAdapter } from '../../src/adapters/shaka.ts';

const track: ShakaTrack = {
  active: true, bandwidth: 2_064_000, videoBandwidth: 2_000_000, width: 960, height: 540, frameRate: 25,
  codecs: 'avc1.42c01f, mp4a.40.2',
};

/** Raises what Shaka 5.2 raises. */
class Player extends EventTarget implements Shaka {
  uri: string | null = null;
  stats = { estimatedBandwidth: 4_812_300, liveLatency: NaN, drmTimeSeconds: 0, licenseTime: 0 };
  configured: unknown[] = [];
  tracks = [track];
  getAssetUri = () => this.uri;
  isLive = () => this.stats.liveLatency > 0;
  getStats = () => this.stats;
  seekRange = () => ({ start: 0, end: 60 });
  getVariantTracks = () => this.tracks;
  configure = (...setting: unknown[]) => this.configured.push(setting) > 0;

  raise(type: string, data: object = {}): void {
    this.dispatchEvent(Object.assign(new Event(type), data));
  }
}

function fasten(): [Book, Player, Video] {
  const [book, player, video] = [new Book(), new Player(), new Video()];
  shakaAdapter(player, video.as())(book);
  return [book, player, video];
}

const quality = { bitrateKbps: 2000, width: 960, height: 540, codec: 'avc1.42c01f', fps: 25 };

/** The picture becomes so high. */
function shows(video: Video, height: number): void {
  Object.assign(video, { readyState: 3, videoHeight: height });
  video.raise('resize');
}

test('a rendition is told when it is on screen, not when it is chosen', () => {
  const [book, player, video] = fasten();
  const lower = { ...track, active: false, videoBandwidth: 750_000, width: 640, height: 360 };
  player.tracks = [lower, track];
  video.videoHeight = 540;
  video.raise('resize'); // the size is known, but no frame is there
  shows(video, 360);
  shows(video, 540);
  const { active: _, videoBandwidth: __, ...other } = { ...track, bandwidth: 3_000_000 };
  player.raise('mediaqualitychanged', { mediaQuality: { ...other, bandwidth: 64_000, contentType: 'audio' } });
  player.raise('mediaqualitychanged', { mediaQuality: { ...other, contentType: 'video' } });
  assert.deepEqual(book.told.flatMap(({ quality: told }) => told ?? []), [
    { ...quality, bitrateKbps: 750, width: 640, height: 360 }, quality, { ...quality, bitrateKbps: 3000 },
  ]);
});

test('sound without a picture has its rendition, too', () => {
  const [book, player, video] = fasten();
  player.tracks = [{ ...track, bandwidth: 64_000, videoBandwidth: null, width: null, height: null, codecs: 'mp4a.40.2' }];
  Object.assign(video, { readyState: 3, videoHeight: 0 });
  video.raise('loadeddata');
  assert.equal(book.told.find(({ kind }) => kind === 'QUALITY_CHANGE')?.quality?.bitrateKbps, 64);
});

test('requests are told, with the time to the first byte', () => {
  const [book, player] = fasten();
  const context = { type: 1, stream: { type: 'video', bandwidth: 2_000_000 } };
  const request = { uris: ['https://a.test/1.m4s'], requestStartTime: 5_000, timeToFirstByte: 40 };
  const headers = { 'cmsd-dynamic': '"CDN-B"' };
  const response = { uri: 'https://b.test/1.m4s', status: 206, timeMs: 120, data: new ArrayBuffer(900), headers };
  player.raise('downloadcompleted', { requestType: 1, request, context, response });
  assert.deepEqual(JSON.parse(JSON.stringify(book.told[0]?.request)), {
    kind: 'video', url: 'https://b.test/1.m4s', host: 'b.test', status: 206, bytes: 900, bitrateKbps: 2000,
    ttfbMs: 40, totalMs: 120, cmsd: '"CDN-B"',
  });
});

test('a manifest that cannot be loaded is a failure, each try a request', () => {
  const [book, player] = fasten();
  const one = { requestType: 0, request: { uris: ['https://a.test/404.mpd'] }, aborted: false };
  const bad = { severity: 1, category: 1, code: 1001, message: 'Shaka Error 1001', data: [one.request.uris[0], 404] };
  player.raise('downloadfailed', { ...one, httpResponseCode: 404, error: bad });
  player.raise('downloadfailed', { ...one, httpResponseCode: 0, error: { severity: 2, category: 7, code: 1010 } });
  assert.deepEqual(book.kinds().sort(), ['PLAYER_ERROR', 'REQUEST']);
  const { error } = book.told.find(({ kind }) => kind === 'PLAYER_ERROR')!;
  assert.deepEqual([error?.code, error?.type, error?.fatal], ['1001', 'network', true]);
});

test('requests that Shaka cancels, and those of no media, are none', () => {
  const [book, player] = fasten();
  const request = { uris: ['https://a.test/x'] };
  player.raise('downloadfailed', { requestType: 1, request, httpResponseCode: 0, aborted: true, error: null });
  player.raise('downloadcompleted', { requestType: 9, request, response: { uri: 'https://a.test/cmcd', headers: {} } });
  assert.deepEqual(book.kinds(), []);
});

test('errors that it recovers from are warnings; refused licences are the business\'s', () => {
  const [book, player] = fasten();
  player.raise('error', { detail: { severity: 1, category: 5, code: 5006 } });
  player.raise('error', { detail: { severity: 2, category: 6, code: 1001, data: ['https://drm.test', 403] } });
  assert.deepEqual(book.told.map(({ error }) => [error?.fatal, error?.type, error?.category]), [
    [false, 'streaming', 'technical'], [true, 'drm', 'business'],
  ]);
});

test('length, readiness, throughput and the key\'s time', () => {
  const [book, player] = fasten();
  player.raise('loading');
  book.clock += 78;
  player.raise('loaded');
  player.stats.licenseTime = 0.24;
  assert.deepEqual([book.facts.streamType, book.facts.durationSec], ['vod', 60]);
  assert.equal(book.told.find(({ kind }) => kind === 'PLAYER_READY')?.playerStartupMs, 78);
  const sampled = book.sampled();
  assert.deepEqual([sampled.player?.throughputKbps, sampled.drmMs, book.sampled().drmMs], [4_812, 240, undefined]);
});

test('another asset is another view', () => {
  const [book, player] = fasten();
  for (const uri of ['https://a.test/one.mpd', 'https://a.test/one.mpd', 'https://a.test/two.mpd']) {
    player.uri = uri;
    player.raise('manifestparsed');
  }
  assert.deepEqual(book.sources, ['https://a.test/two.mpd']);
});
