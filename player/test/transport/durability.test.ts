import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { IDBFactory } from 'fake-indexeddb';
import { forget } from '../../src/core/ids.ts';
import { Browser, Page, Server, sleep, until } from './stage.ts';

const NEVER = { flushMs: 60_000 };
let server: Server;
let browser: Browser;
const alive: Page[] = [];

beforeEach(async () => {
  Object.assign(globalThis, { indexedDB: new IDBFactory() });
  alive.length = 0;
  browser = new Browser();
  server = await new Server().open();
});

function page(more: object = {}): Page {
  const made = new Page({ endpoint: server.url, ...more });
  alive.push(made);
  return made;
}

/** The tabs are gone, without a word. */
function die(): void {
  for (const one of alive.splice(0)) Object.assign(one, { dead: true });
  browser.die();
}

async function end(): Promise<void> {
  die();
  await server.close();
}

const crammed = (): string[] => Object.keys(localStorage).filter((name) => name.startsWith('playhead:'));

test('what was written ahead is sent on the next visit, as it was', async () => {
  const first = page(NEVER);
  const event = first.put();
  await sleep(1_100);
  die();
  await sleep(30);
  const second = page();
  await until(() => server.stored.size === 1);
  const [got] = server.requests[0]!.events;
  assert.deepEqual([got!.viewId, got!.seq, got!.timestamp], [event.viewId, event.seq, event.timestamp]);
  assert.ok(got!.sentAt! >= event.timestamp + 1_100);
  assert.equal(second.told('restored')[0]!.events!.length, 1);
  await end();
});

test('what was acknowledged is not sent again', async () => {
  const first = page(NEVER);
  first.put();
  await sleep(1_100);
  await first.transport.flush();
  await sleep(30);
  die();
  const second = page();
  await sleep(100);
  assert.equal(server.requests.length, 1);
  assert.equal(second.told('restored').length, 0);
  await end();
});

test('leaving in the second before it is written: the last resort keeps it', async () => {
  const first = page(NEVER);
  first.put();
  browser.takesBeacons = false;
  Object.assign(globalThis, { indexedDB: undefined });
  void first.transport.flush(true);
  assert.equal(crammed().length, 1);
  await sleep(20);
  die();
  Object.assign(globalThis, { indexedDB: new IDBFactory() });
  server.stored.clear();
  page();
  await until(() => server.stored.size === 1);
  await until(() => crammed().length === 0);
  await end();
});

test('a beacon is cut to size, and sent again on the next visit', async () => {
  const first = page(NEVER);
  for (let i = 0; i < 40; i++) first.put('CUSTOM', false, { custom: { text: 'é'.repeat(1_000) } });
  void first.transport.flush(true);
  assert.equal(browser.beacons.length, 2);
  assert.ok(browser.beacons.every((body) => Buffer.byteLength(body) <= 60_000));
  await sleep(30);
  die();
  page();
  await until(() => server.stored.size === 40);
  await end();
});

test('hide and pagehide give one beacon; a page that lives on asks for an answer', async () => {
  const one = page(NEVER);
  one.put();
  void one.transport.flush(true);
  void one.transport.flush(true);
  assert.equal(browser.beacons.length, 1);
  browser.tell('visibilitychange');
  await until(() => server.stored.size === 1);
  await end();
});

test('a refused beacon is tried once more, kept alive', async () => {
  browser.takesBeacons = false;
  const one = page(NEVER);
  one.put();
  void one.transport.flush(true);
  await until(() => server.stored.size === 1);
  await end();
});

test('a living tab keeps its events to itself', async () => {
  const first = page(NEVER);
  first.put();
  await sleep(1_100);
  const second = page();
  await sleep(100);
  assert.equal(server.requests.length, 0);
  assert.equal(second.told('restored').length, 0);
  await end();
});

test('of two tabs that open together one takes what a dead one left', async () => {
  const first = page(NEVER);
  first.put();
  await sleep(1_100);
  die();
  await sleep(10);
  page();
  page();
  await until(() => server.stored.size === 1);
  await sleep(100);
  assert.deepEqual([...server.stored.values()], [1]);
  await end();
});

test('without locks only a tab that kept nothing new for a while is taken for dead', async () => {
  Object.assign(browser, { locks: undefined });
  const [dead, living] = [page(NEVER), page(NEVER)];
  for (const one of [dead, living]) one.put('HEARTBEAT', false, { timestamp: Date.now() - 61_000 });
  living.put();
  await sleep(1_100);
  page();
  await until(() => server.stored.size > 0);
  await sleep(50);
  assert.deepEqual([...server.stored.keys()], [`${dead.viewId}/0`]);
  await end();
});

test('what was kept goes where it was meant to go, with its own key', async () => {
  page({ ...NEVER, endpoint: `${server.url}/old`, key: 'a' }).put();
  await sleep(1_100);
  die();
  await sleep(10);
  page({ endpoint: `${server.url}/new`, key: 'b' }).put('PLAY', true);
  await until(() => server.stored.size === 2);
  assert.deepEqual(server.requests.map(({ url }) => url).sort(), ['/new?key=b', '/old?key=a']);
  await end();
});

test('an old address that refuses or fails keeps its events for later, and nobody waiting', async () => {
  page({ ...NEVER, key: 'bad' }).put();
  await sleep(1_100);
  for (const fault of [{ status: 401 }, { status: 503 }]) {
    die();
    await sleep(30);
    server.faults.push(fault);
    const next = page({ ...NEVER, key: 'good' });
    await until(() => next.told('kept').length === 1);
    next.put();
    await next.transport.flush();
    assert.equal(next.told('retry').length, 0);
  }
  assert.equal(server.stored.size, 2);
  die();
  page({ key: 'good' });
  await until(() => server.stored.size === 3);
  await end();
});

test('what is too old is dropped, and told', async () => {
  const first = page(NEVER);
  first.put();
  first.put('HEARTBEAT', false, { timestamp: Date.now() - 60_000 });
  await sleep(1_100);
  die();
  await sleep(10);
  const second = page({ keepMs: 30_000 });
  await until(() => server.stored.size > 0);
  assert.deepEqual([...server.stored.keys()], [`${first.viewId}/0`]);
  assert.deepEqual(second.told('dropped').map(({ text, events }) => [text, events!.length]), [['too old', 1]]);
  await end();
});

test('without storage nothing is kept, the beacon goes all the same', async () => {
  const one = page({ ...NEVER, consent: 'cookieless' });
  one.put();
  void one.transport.flush(true);
  await sleep(1_100);
  assert.equal(browser.beacons.length, 1);
  assert.equal(crammed().length, 0);
  assert.deepEqual(await indexedDB.databases(), []);
  await end();
});

test('without a database it works on in memory, and says so once', async () => {
  Object.assign(globalThis, { indexedDB: undefined });
  const one = page();
  one.put();
  await sleep(1_100);
  one.put('PLAY', true);
  await until(() => server.stored.size === 2);
  assert.equal(one.told('fault').length, 1);
  await end();
});

test('a database that gets no store is given up and made anew by the next page', async () => {
  const real = IDBDatabase.prototype.createObjectStore;
  IDBDatabase.prototype.createObjectStore = () => {
    throw new Error('no store');
  };
  const one = page();
  one.put();
  await sleep(1_100);
  IDBDatabase.prototype.createObjectStore = real;
  await until(() => server.stored.size === 1);
  assert.equal(one.told('fault').length, 1);
  die();
  assert.deepEqual(await indexedDB.databases(), []);
  const next = page(NEVER);
  next.put();
  await sleep(1_100);
  assert.equal((await indexedDB.databases()).length, 1);
  assert.equal(next.told('fault').length, 0);
  await end();
});

test('close keeps what is held for the next page, close(true) and forget forget all', async () => {
  const first = page(NEVER);
  first.put();
  first.transport.close();
  await sleep(30);
  const second = page(NEVER);
  await until(() => second.told('restored').length === 1);
  second.transport.close(true);
  forget();
  await sleep(30);
  const third = page();
  await sleep(50);
  assert.equal(third.told('restored').length, 0);
  assert.equal(crammed().length, 0);
  await end();
});

test('nothing held, nothing locked: the page may go into the back/forward cache', async () => {
  const one = page(NEVER);
  one.put();
  await sleep(1_100);
  assert.equal((await browser.locks!.query()).held.length, 1);
  await one.transport.flush();
  await sleep(30);
  assert.equal((await browser.locks!.query()).held.length, 0);
  await end();
});

test('an answer that comes before the lock does not lose it', async () => {
  const one = page(NEVER);
  one.put('PLAY', true);
  await until(() => server.stored.size === 1);
  await sleep(50);
  one.put();
  await sleep(1_100);
  die();
  page();
  await until(() => server.stored.size === 2);
  await end();
});
