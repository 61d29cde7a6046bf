import assert from 'node:assert/strict';
import test from 'node:test';
import { createOutbox, WAITING_MAX } from '../../src/cmcd/outbox.ts';
import { openDoor } from './door.ts';

test('what a busy server refused comes again, once, in order', async () => {
  const door = await openDoor();
  const outbox = createOutbox(door.url, () => {});
  door.answers.push(429);
  ['e=t,sn=0', 'e=t,sn=1', 'e=t,sn=2'].forEach(outbox.put);
  assert.deepEqual(await door.records(3), ['e=t,sn=0', 'e=t,sn=1', 'e=t,sn=2']);
  outbox.close();
  door.close();
});

test('410 ends the reports of the session', async () => {
  const door = await openDoor();
  const heard: string[] = [];
  const outbox = createOutbox(door.url, (text) => heard.push(text));
  door.answers.push(410);
  outbox.put('e=t,sn=0');
  while (!heard.length) await new Promise((later) => setTimeout(later, 5));
  outbox.put('e=t,sn=1');
  await new Promise((later) => setTimeout(later, 50));
  assert.deepEqual(door.bodies, []);
  door.close();
});

test('while nothing can be sent the newest records wait, so many at most', async () => {
  const heard: string[] = [];
  const outbox = createOutbox('http://127.0.0.1:9/cmcd', (text) => heard.push(text));
  for (let sn = 0; sn < WAITING_MAX + 5; sn++) outbox.put(`sn=${sn}`);
  assert.match(heard.at(-1) ?? '', /dropped/);
  outbox.close();
});
