import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { createBatches, targetOf } from '../../src/publisher/batches.ts';

interface Sent {
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A door for rows: keeps what it is sent; `statuses` are its next answers, then 202. */
async function openDoor(...statuses: number[]) {
  const sent: Sent[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => {
      sent.push({ url: request.url!, headers: request.headers, body });
      response.writeHead(statuses.shift() ?? 202).end('{}');
    });
  });
  await new Promise<void>((open) => server.listen(0, '127.0.0.1', open));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, sent, close: () => (server.closeAllConnections(), server.close()) };
}

const record = (timestamp: number) => ({ streamId: 'studio', timestamp, fps: 30 });

test('a batch is lines of JSON under a key of its own, at the door for rows', async () => {
  const door = await openDoor();
  const batches = createBatches({ endpoint: door.url, streamId: 'studio', key: 'pk' });
  [1, 2].forEach((at) => batches.put(record(at)));
  await batches.flush();
  batches.put(record(3));
  await batches.flush();
  batches.close();
  assert.deepEqual(door.sent.map(({ url, body }) => [url, body.split('\n').length]), [
    ['/v0/events?name=stream_frames&token=pk', 2],
    ['/v0/events?name=stream_frames&token=pk', 1],
  ]);
  assert.notEqual(door.sent[0]!.headers['idempotency-key'], door.sent[1]!.headers['idempotency-key']);
  door.close();
});

test('a batch that comes again is the same, under the same key', async () => {
  const door = await openDoor(503, 429);
  const batches = createBatches({ endpoint: door.url, streamId: 'studio', backoffMs: 5, flushMs: 10 });
  batches.put(record(1));
  await batches.flush();
  batches.put(record(2)); // must not slip into the batch under way
  while (door.sent.length < 4) await new Promise((later) => setTimeout(later, 5));
  batches.close();
  assert.deepEqual(door.sent.map(({ body }) => JSON.parse(body).timestamp), [1, 1, 1, 2]);
  assert.equal(new Set(door.sent.slice(0, 3).map(({ headers }) => headers['idempotency-key'])).size, 1);
  door.close();
});

test('what was refused for good is told and not sent again', async () => {
  const door = await openDoor(403);
  const told: string[] = [];
  const batches = createBatches({ endpoint: door.url, streamId: 'studio', onReport: (text) => told.push(text) });
  batches.put(record(1));
  await batches.flush();
  await batches.flush();
  batches.close();
  assert.equal(door.sent.length, 1);
  assert.match(told[0]!, /refused with 403/);
  door.close();
});

test('so many records wait, the newest', async () => {
  const told: string[] = [];
  const batches = createBatches({
    endpoint: 'http://127.0.0.1:9', streamId: 'studio', maxQueueRecords: 3, flushMs: 60_000, onReport: (text) => told.push(text),
  }); // prettier-ignore
  [1, 2, 3, 4].forEach((at) => batches.put(record(at)));
  assert.deepEqual(told, ['1 records were dropped: more than 3 wait.']);
  batches.close();
});

test('an address with a path is taken as it is', () => {
  assert.equal(targetOf({ endpoint: 'https://x.test/in?name=other' }), 'https://x.test/in?name=other');
  assert.equal(targetOf({ endpoint: 'https://x.test' }), 'https://x.test/v0/events?name=stream_frames');
});
