import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { IDBFactory } from 'fake-indexeddb';
import { Browser, Page, Server, sleep, until, type Fault } from './stage.ts';

let server: Server;
let browser: Browser;
beforeEach(async () => {
  Object.assign(globalThis, { indexedDB: new IDBFactory() });
  browser = new Browser();
  server = await new Server().open();
});
const end = async (page: Page): Promise<void> => {
  page.transport.close(true);
  await server.close();
};

for (const fault of [{ status: 500 }, { status: 503 }, { status: 408 }, { status: 502 }, 'cut'] as Fault[]) {
  test(`${JSON.stringify(fault)} is sent again until it is taken`, async () => {
    server.faults.push(fault, fault);
    const page = new Page({ endpoint: server.url });
    page.put('PLAY', true);
    await until(() => page.told('answer').some(({ status }) => status === 200));
    assert.equal(server.requests.length, 3);
    assert.equal(page.told('retry').length, 2);
    await sleep(60);
    assert.equal(server.requests.length, 3);
    await end(page);
  });
}

test('a wait doubles, is random, and has a limit', async () => {
  for (let i = 0; i < 9; i++) server.faults.push({ status: 503 });
  const page = new Page({ endpoint: server.url, backoffMs: 4, backoffMaxMs: 64 });
  page.put('PLAY', true);
  await until(() => server.stored.size === 1);
  const waits = page.told('retry').map(({ text }) => Number(/\d+/.exec(text)));
  assert.ok(waits.every((wait, index) => wait <= Math.min(64, 4 * 2 ** index)), `${waits}`);
  assert.ok(new Set(waits).size > 2, `${waits}`);
  await end(page);
});

test('Retry-After in seconds is heeded, urgent events wait too', async () => {
  server.faults.push({ status: 429, headers: { 'retry-after': '1' } });
  const page = new Page({ endpoint: server.url });
  page.put('PLAY', true);
  await sleep(200);
  page.put('PLAYING', true);
  await until(() => server.stored.size === 2);
  const [first, second] = server.requests;
  assert.ok(second!.at - first!.at >= 995);
  assert.equal(server.requests.length, 2);
  await end(page);
});

test('Retry-After as a date is heeded', async () => {
  const date = new Date(Date.now() + 2_000).toUTCString();
  server.faults.push({ status: 503, headers: { 'retry-after': date } });
  const page = new Page({ endpoint: server.url });
  page.put('PLAY', true);
  await until(() => server.stored.size === 1);
  assert.ok(server.requests[1]!.at - server.requests[0]!.at >= 900);
  await end(page);
});

test('410 ends it for good', async () => {
  server.faults.push({ status: 410 });
  const page = new Page({ endpoint: server.url });
  page.put('PLAY', true);
  await until(() => page.told('stopped').length === 1);
  page.put('PLAYING', true);
  await sleep(60);
  assert.equal(server.requests.length, 1);
  await end(page);
});

test('413 is sent in halves; what is too large alone is dropped', async () => {
  server.faults.push({ status: 413 }, { status: 413 }, { status: 413 });
  const page = new Page({ endpoint: server.url });
  for (let i = 0; i < 4; i++) page.put();
  await until(() => server.stored.size === 3);
  assert.deepEqual(server.requests.map(({ events }) => events.length), [4, 2, 1, 1, 1, 1]);
  assert.equal(page.told('dropped').length, 1);
  await end(page);
});

for (const [status, what] of [[400, 'dropped'], [401, 'kept'], [403, 'kept']] as const) {
  test(`${status}: ${what} and told, and the next is sent`, async () => {
    server.faults.push({ status, body: '{"error":"because"}' });
    const page = new Page({ endpoint: server.url });
    page.put('PLAY', true);
    await until(() => page.told(what).length === 1);
    page.put('PLAYING', true);
    await until(() => server.stored.size === 1);
    assert.equal(server.requests.length, 2);
    assert.match(page.told('answer')[0]!.text, /because/);
    await end(page);
  });
}

test('what a key is refused for is held within the limits, and sent by no beacon', async () => {
  for (let i = 0; i < 6; i++) server.faults.push({ status: 401 });
  const page = new Page({ endpoint: server.url, maxQueueEvents: 3, maxBatchEvents: 2 });
  for (let i = 0; i < 5; i++) {
    page.put();
    await page.transport.flush();
  }
  await sleep(60);
  assert.equal(server.requests.length, 5);
  assert.deepEqual(page.told('dropped').map(({ text }) => text), ['no room', 'no room']);
  await page.transport.flush(true);
  assert.deepEqual(browser.beacons, []);
  await end(page);
});

test('where nothing may be kept, what a key is refused for is dropped and told', async () => {
  server.faults.push({ status: 401 });
  const page = new Page({ endpoint: server.url, storage: false });
  page.put('PLAY', true);
  await until(() => page.told('dropped').length === 1);
  assert.equal(page.told('kept').length, 0);
  await end(page);
});

test('a batch that the server fails at is left; the next goes on', async () => {
  for (let i = 0; i < 3; i++) server.faults.push({ status: 500 });
  const page = new Page({ endpoint: server.url, maxRetries: 3 });
  page.put('PLAY', true);
  await until(() => page.told('kept').length === 1);
  page.put('PLAYING', true);
  await until(() => server.stored.has(`${page.viewId}/1`));
  assert.equal(server.requests.length, 4);
  await end(page);
});

test('a server that is away for long loses nothing', async () => {
  const page = new Page({ endpoint: server.url });
  const address = new URL(server.url);
  await server.close();
  for (let i = 0; i < 30; i++) {
    page.put(i % 3 ? 'HEARTBEAT' : 'PLAY', i % 3 === 0);
    await sleep(15);
  }
  const back = new Server();
  await new Promise<void>((resolve) => back['http'].listen(Number(address.port), '127.0.0.1', resolve));
  await until(() => back.stored.size === 30);
  assert.deepEqual([...new Set(back.stored.values())], [1]);
  server = back;
  await end(page);
});

test('offline it waits for the network and then goes at once', async () => {
  browser.onLine = false;
  const page = new Page({ endpoint: server.url, backoffMs: 60_000, backoffMaxMs: 60_000 });
  page.put('PLAY', true);
  await until(() => page.told('retry').length === 1);
  assert.equal(server.requests.length, 0);
  browser.onLine = true;
  browser.tell('online');
  await until(() => server.stored.size === 1);
  await end(page);
});
