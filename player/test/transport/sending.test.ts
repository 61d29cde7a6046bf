import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { IDBFactory } from 'fake-indexeddb';
import { Browser, Page, Server, sleep, until } from './stage.ts';

let server: Server;
beforeEach(async () => {
  Object.assign(globalThis, { indexedDB: new IDBFactory() });
  new Browser();
  server = await new Server().open();
});
const end = async (page: Page): Promise<void> => {
  page.transport.close(true);
  await server.close();
};

test('ordinary events wait for a batch', async () => {
  const page = new Page({ endpoint: server.url });
  for (let i = 0; i < 3; i++) page.put();
  await sleep(15);
  assert.equal(server.requests.length, 0);
  await until(() => server.stored.size === 3);
  assert.equal(server.requests.length, 1);
  await end(page);
});

test('urgent events of one task leave at once, together, with what waits', async () => {
  const page = new Page({ endpoint: server.url, flushMs: 10_000 });
  page.put();
  page.put('PLAY', true);
  page.put('PLAYING', true);
  await until(() => server.stored.size === 3);
  assert.equal(server.requests.length, 1);
  await end(page);
});

test('only one request is on its way at a time', async () => {
  server.faults.push('slow', 'slow');
  const page = new Page({ endpoint: server.url });
  for (let i = 0; i < 6; i++) {
    page.put('PLAY', true);
    await sleep(20);
  }
  await until(() => server.stored.size === 6);
  assert.equal(server.most, 1);
  assert.ok(server.requests.length <= 3);
  await end(page);
});

test('a full batch leaves at once and is cut by number and by bytes', async () => {
  const page = new Page({ endpoint: server.url, flushMs: 10_000, maxBatchEvents: 4, maxBodyBytes: 700 });
  for (let i = 0; i < 4; i++) page.put('CUSTOM', false, { custom: { text: 'ü'.repeat(100) } });
  await until(() => server.stored.size === 4);
  assert.ok(server.requests.length > 1);
  assert.ok(server.requests.every(({ events }) => Buffer.byteLength(JSON.stringify(events)) <= 700));
  await end(page);
});

test('sentAt is the moment of sending, the event keeps its own', async () => {
  const page = new Page({ endpoint: server.url });
  const event = page.put();
  await until(() => server.requests.length === 1);
  const [got] = server.requests[0]!.events;
  assert.equal(got!.timestamp, event.timestamp);
  assert.ok(got!.sentAt! >= event.timestamp + 35);
  await end(page);
});

test('a body worth it is gzip, as plain text, key in the query', async () => {
  const page = new Page({ endpoint: `${server.url}/`, key: 'pk a' });
  for (let i = 0; i < 40; i++) page.put();
  await until(() => server.stored.size === 40);
  const { bytes, type, url, events } = server.requests[0]!;
  assert.ok(bytes < JSON.stringify(events).length / 3);
  assert.deepEqual([type, url], ['text/plain', '/telemetry?key=pk%20a']);
  await end(page);
});

test('more than so many a second are dropped and told, telling ones never', async () => {
  const page = new Page({ endpoint: server.url, maxEventsPerSecond: 5 });
  for (let i = 0; i < 9; i++) page.put();
  for (let i = 0; i < 9; i++) page.put('BUFFER_START');
  await until(() => server.stored.size === 14);
  assert.equal(page.told('dropped').length, 4);
  assert.ok(server.stored.has(`${page.viewId}/17`));
  await end(page);
});

test('a fast network fills half of the room of a second with requests, not all of it', async () => {
  const page = new Page({ endpoint: server.url, maxEventsPerSecond: 8 });
  for (let i = 0; i < 30; i++) page.put('REQUEST');
  for (const kind of ['QUALITY_CHANGE', 'HEARTBEAT', 'PLAYER_ERROR', 'CDN_CHANGE'] as const) page.put(kind);
  await until(() => server.stored.size === 8);
  assert.ok(page.told('dropped').every(({ text, events }) => text === 'too many' && events![0]!.eventType === 'REQUEST'));
  await end(page);
});

test('events of several seconds may come in one moment', async () => {
  const page = new Page({ endpoint: server.url, maxEventsPerSecond: 16 });
  const now = Date.now();
  for (let i = 0; i < 30; i++) page.put('REQUEST', false, { timestamp: now - 9_000 + i * 250 });
  await until(() => server.stored.size === 30);
  assert.equal(page.told('dropped').length, 0);
  await end(page);
});

test('a queue that is full loses its oldest ordinary events only', async () => {
  const page = new Page({ endpoint: server.url, maxQueueEvents: 3, maxEventsPerSecond: 100 });
  for (const kind of ['PLAY', 'HEARTBEAT', 'PLAYING', 'HEARTBEAT', 'BUFFER_START', 'STOP'] as const) {
    page.put(kind);
  }
  await until(() => server.requests.length === 1);
  assert.deepEqual(server.requests[0]!.events.map((event) => event.seq), [0, 2, 4, 5]);
  assert.deepEqual(page.told('dropped').map((report) => report.events![0]!.seq), [1, 3]);
  await end(page);
});

test('an event that is no JSON, or too large, is dropped and told', async () => {
  const page = new Page({ endpoint: server.url });
  const custom: Record<string, unknown> = {};
  custom.self = custom;
  page.put('CUSTOM', false, { custom });
  page.put('CUSTOM', false, { custom: { text: 'x'.repeat(60_000) } });
  assert.equal(page.told('dropped').length, 2);
  assert.equal(page.told('queued').length, 0);
  await end(page);
});

test('a report that throws stops nothing', async () => {
  const page = new Page({ endpoint: server.url });
  page.reports.push = () => {
    throw new Error('the page');
  };
  page.put('PLAY', true);
  await until(() => server.stored.size === 1);
  await end(page);
});

test('flush resolves when the server has answered', async () => {
  server.faults.push('slow');
  const page = new Page({ endpoint: server.url, flushMs: 10_000 });
  page.put();
  await page.transport.flush();
  assert.equal(page.told('answer').length, 1);
  assert.equal(page.told('answer')[0]!.status, 200);
  await end(page);
});
