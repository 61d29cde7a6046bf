import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Book, Video } from '../media/stage.ts';
import { hlsAdapter } from '../../src/adapters/hls.ts';

const { default: Hls, Events, ErrorTypes, ErrorDetails } = await import('hls.js');

const level = { bitrate: 2_500_000, width: 1280, height: 720, frameRate: 25, videoCodec: 'avc1.64001f', pathwayId: 'CDN-A' };
const stats = (start: number) => ({ loaded: 5_000, loading: { start, first: start + 40, end: start + 200 } });
const frag = (url: string, start: number, more = {}) => ({
  sn: 1, type: 'main', level: 0, duration: 2, url, stats: stats(start), initSegment: null, ...more,
});

/** The real player, of which only the levels are made up; its own parts do not hear what is made up. */
function fasten() {
  const hls = new Hls({ enableWorker: false });
  Object.defineProperty(hls, 'levels', { value: [level] });
  for (const name of Object.values(Events)) hls.removeAllListeners(name);
  const [book, video] = [new Book(), new Video()];
  hlsAdapter(hls, video.as())(book);
  const trigger = (name: string, data: unknown) => hls.emit(name as never, name as never, data as never);
  return { hls, book, video, trigger };
}

/** The part that tells of requests has come, and told. */
const told = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

test('the rendition on screen is told once', () => {
  const { book, trigger } = fasten();
  trigger(Events.LEVEL_SWITCHED, { level: 0 });
  trigger(Events.LEVEL_SWITCHED, { level: 0 });
  assert.deepEqual(book.kinds(), ['QUALITY_CHANGE']);
  assert.deepEqual(book.told[0]?.quality, { bitrateKbps: 2500, width: 1280, height: 720, codec: 'avc1.64001f', fps: 25 });
});

test('a segment is a request, and the init segment before it another', async () => {
  const { book, trigger } = fasten();
  const initSegment = frag('https://a.test/init.mp4', 10, { sn: 'initSegment', duration: 0 });
  const networkDetails = { responseURL: 'https://edge.a.test/1.m4s?x=1', getAllResponseHeaders: () => '' };
  trigger(Events.FRAG_LOADED, { frag: frag('https://a.test/1.m4s', 300, { initSegment }), part: null, networkDetails });
  trigger(Events.FRAG_LOADED, { frag: frag('https://a.test/2.m4s', 600, { initSegment }), part: null, networkDetails: null });
  await told();
  const asked = book.told.flatMap(({ request }) => (request ? [[request.kind, request.url]] : []));
  assert.deepEqual(asked, [
    ['init', 'https://a.test/init.mp4'],
    ['muxed', 'https://edge.a.test/1.m4s'],
    ['muxed', 'https://a.test/2.m4s'],
  ]);
  const { kind: _, url: __, host: ___, ...request } = book.told[1]!.request!;
  assert.deepEqual(JSON.parse(JSON.stringify(request)), {
    bytes: 5000, bitrateKbps: 2500, objectMs: 2000, cdn: 'CDN-A', status: 200, ttfbMs: 40, totalMs: 200,
  });
});

test('a failed request is a request and a warning', async () => {
  const { book, trigger } = fasten();
  trigger(Events.ERROR, {
    type: ErrorTypes.NETWORK_ERROR, details: ErrorDetails.FRAG_LOAD_ERROR, fatal: false,
    error: new Error('HTTP Error 404 at https://a.test/1.m4s?token=secret'), response: { code: 404 },
    frag: frag('https://a.test/1.m4s', 10),
  });
  await told();
  assert.deepEqual(book.kinds(), ['PLAYER_ERROR', 'REQUEST']);
  assert.deepEqual(book.told[0]?.error, {
    category: 'technical', type: 'networkError', details: 'fragLoadError', fatal: false, code: '404',
    message: 'HTTP Error 404 at https://a.test/1.m4s',
  });
});

test('a licence that is refused is the business\'s, a manifest that makes no sense the content\'s', () => {
  for (const [details, code, category] of [['keyLoadError', 403, 'business'], ['manifestParsingError', 0, 'content']]) {
    const { book, trigger } = fasten();
    const encrypted = frag('https://a.test/1.m4s', 10, { decryptdata: { uri: 'https://drm.test/key' } });
    trigger(Events.ERROR, { type: ErrorTypes.NETWORK_ERROR, details, fatal: true, response: { code }, frag: encrypted });
    assert.equal(book.told.at(-1)?.error?.category, category);
  }
});

test('a load that a seek cancels is nobody\'s fault', async () => {
  const { book, trigger } = fasten();
  trigger(Events.ERROR, { type: ErrorTypes.NETWORK_ERROR, details: ErrorDetails.INTERNAL_ABORTED, fatal: false, frag: frag('/x', 1) });
  await told();
  assert.deepEqual(book.kinds(), []);
});

test('a playlist of a single rendition is one request', async () => {
  const { book, trigger } = fasten();
  const [both, details] = [stats(10), { live: false, totalduration: 60, url: 'https://a.test/film.m3u8' }];
  trigger(Events.MANIFEST_LOADED, { url: details.url, stats: both, networkDetails: null });
  trigger(Events.LEVEL_LOADED, { details, stats: both, networkDetails: null });
  await told();
  assert.deepEqual(book.kinds(), ['REQUEST']);
  assert.deepEqual([book.facts.streamType, book.facts.durationSec], ['vod', 60]);
});

test('live streams have a latency, films have none', () => {
  const { book, hls, trigger } = fasten();
  Object.defineProperty(hls, 'latency', { value: 3.2 });
  assert.equal(book.sampled().liveLatencyMs, undefined);
  trigger(Events.LEVEL_LOADED, { details: { live: true, partList: [], url: 'https://a.test/l.m3u8' }, stats: stats(1) });
  assert.deepEqual([book.facts.streamType, book.sampled().liveLatencyMs], ['ll-live', 3200]);
});

test('the first key is timed, and asked for once', async () => {
  const { book, trigger } = fasten();
  const encrypted = frag('https://a.test/1.m4s', 10, { decryptdata: { uri: 'https://drm.test/key' } });
  trigger(Events.KEY_LOADING, { frag: encrypted });
  book.clock += 240;
  trigger(Events.KEY_LOADED, { frag: encrypted });
  trigger(Events.KEY_LOADED, { frag: encrypted });
  await told();
  assert.deepEqual(book.kinds(), ['REQUEST']);
  assert.deepEqual([book.told[0]?.request?.kind, book.sampled().drmMs], ['key', 240]);
});

test('another manifest is another view; the player is ready when it is read', () => {
  const { book, trigger } = fasten();
  trigger(Events.MANIFEST_LOADING, { url: '/one.m3u8' });
  trigger(Events.MANIFEST_LOADING, { url: '/one.m3u8' });
  trigger(Events.MANIFEST_LOADING, { url: '/two.m3u8' });
  book.clock += 80;
  trigger(Events.MANIFEST_PARSED, { levels: [] });
  assert.deepEqual(book.sources, ['https://page.test/two.m3u8']);
  assert.equal(book.told.at(-1)?.playerStartupMs, 80);
});

test('the end of the player is the end of the view, and of listening', () => {
  const { book, hls } = fasten();
  hls.destroy();
  assert.deepEqual(book.kinds(), ['STOP']);
  assert.deepEqual(book.faults, []);
});
