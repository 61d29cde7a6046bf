import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Book } from '../media/stage.ts';
import { requests } from '../../src/adapters/request.ts';

const TIMING = { start: 100, first: 140.4, end: 300 };
const segment = (url: string, status = 200) => ({ kind: 'video', url, status });

test('a request is told without its parameters, in ms from its start', () => {
  const book = new Book();
  requests(book)(segment('https://u:p@cdn-a.test:8080/1.m4s?token=secret#x'), TIMING);
  const { request } = book.told[0]!;
  assert.deepEqual([request?.url, request?.host], ['https://cdn-a.test:8080/1.m4s', 'cdn-a.test']);
  assert.deepEqual([request?.ttfbMs, request?.totalMs], [40, 200]);
});

test('another host of the picture is another CDN; a licence server is not', () => {
  const book = new Book();
  const tell = requests(book);
  tell(segment('https://cdn-a.test/1.m4s'), TIMING);
  tell({ kind: 'key', url: 'https://drm.test/key', status: 200 }, TIMING);
  tell(segment('https://cdn-b.test/2.m4s'), TIMING);
  assert.deepEqual(book.kinds(), ['REQUEST', 'REQUEST', 'CDN_CHANGE', 'REQUEST']);
  assert.deepEqual([book.told[1]?.host, book.told[2]?.host], ['cdn-a.test', 'cdn-b.test']);
});

test('a host that fails is not where the picture comes from', () => {
  const book = new Book();
  const tell = requests(book);
  tell(segment('https://cdn-a.test/1.m4s'), TIMING);
  tell(segment('https://cdn-b.test/2.m4s', 503), TIMING);
  assert.deepEqual(book.kinds(), ['REQUEST', 'REQUEST']);
  assert.equal(book.told[1]?.host, 'cdn-a.test');
});

test('requests may be left untold, the CDN is told all the same', () => {
  const book = new Book({ endpoint: 'https://metrics.test', requests: false });
  const tell = requests(book);
  tell({ ...segment('https://cdn-a.test/1.m4s'), cdn: 'A' }, TIMING);
  tell({ ...segment('https://cdn-a.test/2.m4s'), cdn: 'B' }, TIMING);
  assert.deepEqual(book.kinds(), ['CDN_CHANGE']);
  assert.equal(book.told[0]?.cdn, 'B');
});

test('headers are read from either kind of answer; the CDN is the one the page names', () => {
  for (const answer of [
    { headers: new Headers({ 'CMSD-Dynamic': '"CDN-A";rtt=8' }) },
    { getAllResponseHeaders: () => 'age: 1\r\nCMSD-Dynamic: "CDN-A";rtt=8\r\n' },
  ]) {
    const book = new Book({ endpoint: 'https://metrics.test', cdn: 'mine' });
    requests(book)(segment('/1.m4s'), TIMING, answer);
    assert.equal(book.told[0]?.request?.cmsd, '"CDN-A";rtt=8');
    assert.equal(book.told[0]?.request?.cdn, 'mine');
  }
});

test('what is no request over the network is none', () => {
  const book = new Book();
  requests(book)({ kind: 'init', url: 'data:video/mp4;base64,AAAA' }, TIMING);
  assert.deepEqual(book.kinds(), []);
});
