import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Book, Emitter, Video } from '../media/stage.ts';
import { type Videojs, videojsAdapter } from '../../src/adapters/videojs.ts';

type Hook = (request: object, error: unknown, response: object) => void;

/** Emits what Video.js 8 emits. */
class Player extends Emitter {
  src = 'https://a.test/film.m3u8';
  failure: { code: number; message: string; status?: number } | null = null;
  seconds = NaN;
  readonly video = new Video();
  readonly tracks = Object.assign(new EventTarget(), { length: 0 } as Record<number, EventTarget> & { length: number });
  readonly hooks = new Set<Hook>();
  currentSrc = () => this.src;
  duration = () => this.seconds;
  currentTime = () => 0;
  error = () => this.failure;
  textTracks = () => this.tracks;
  tech = () => ({
    el: () => this.video,
    vhs: {
      stats: { bandwidth: 4_812_000 },
      xhr: { onResponse: (hook: Hook) => this.hooks.add(hook), offResponse: (hook: Hook) => this.hooks.delete(hook) },
    },
  });
}

function fasten(): [Book, Player, () => void] {
  const [book, player] = [new Book(), new Player()];
  const stop = videojsAdapter(player as unknown as Videojs)(book) as () => void;
  return [book, player, stop];
}

test('the rendition is that of the segment on screen', () => {
  const [book, player] = fasten();
  const value = { bandwidth: 818_000, resolution: { width: 640, height: 360 }, codecs: 'avc1.42c01e' };
  const track = Object.assign(new EventTarget(), { label: 'segment-metadata', activeCues: [{ value }] });
  Object.assign(player.tracks, { 0: track, length: 1 });
  player.tracks.dispatchEvent(new Event('addtrack'));
  track.dispatchEvent(new Event('cuechange'));
  track.dispatchEvent(new Event('cuechange'));
  assert.deepEqual(book.told.map(({ quality }) => quality), [{ bitrateKbps: 818, width: 640, height: 360, codec: 'avc1.42c01e' }]);
});

test('what VHS fetches is told, what it cancels is not', () => {
  const [book, player, stop] = fasten();
  const request = {
    uri: 'https://a.test/1.ts', requestType: 'segment', requestTime: Date.now() - 100, responseType: 'arraybuffer',
    response: new ArrayBuffer(900), getAllResponseHeaders: () => 'cmsd-dynamic: "CDN-A"\r\n',
  };
  for (const hook of player.hooks) {
    hook({ ...request, aborted: true }, null, { statusCode: 0 });
    hook(request, null, { statusCode: 200, url: 'https://b.test/1.ts', headers: {} });
  }
  const { kind, host, bytes, status, cmsd } = book.told[0]!.request!;
  assert.deepEqual([kind, host, bytes, status, cmsd], ['muxed', 'b.test', 900, 200, '"CDN-A"']);
  assert.equal(book.told.length, 1);
  stop();
  assert.equal(player.hooks.size, 0);
});

test('an error of Video.js itself is a failure; the element tells its own', () => {
  const [book, player] = fasten();
  player.failure = { code: 2, message: 'HLS playlist request error', status: 404 };
  player.emit('error');
  assert.deepEqual([book.told[0]?.error?.code, book.told[0]?.error?.fatal], ['2', true]);
  player.video.error = { code: 3, message: '' };
  player.emit('error');
  assert.equal(book.told.length, 1);
});

test('another source is another view; the length is the player\'s', () => {
  const [book, player] = fasten();
  player.emit('loadstart');
  player.src = 'https://a.test/next.mp4';
  player.seconds = 60;
  player.emit('loadstart');
  player.emit('durationchange');
  assert.deepEqual(book.sources, ['https://a.test/next.mp4']);
  assert.deepEqual([book.facts.durationSec, book.sampled().player?.throughputKbps], [60, 4_812]);
});
