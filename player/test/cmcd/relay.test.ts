import assert from 'node:assert/strict';
import test from 'node:test';
import { settle } from '../../src/cmcd/options.ts';
import { createRelay, type Relay } from '../../src/cmcd/relay.ts';
import { recordOf } from '../../src/cmcd/record.ts';
import { Element, openDoor, type Door } from './door.ts';

interface Scene {
  door: Door;
  relay: Relay;
  video: Element;
  monitor: { viewId: string };
}

/** Runs a scene; returns what of each record arrived under the keys asked for. */
async function run(play: (scene: Scene) => void, ...keys: string[]): Promise<string[]> {
  const door = await openDoor();
  const monitor = { viewId: 'view-1' };
  const video = new Element();
  const relay = createRelay(settle({ endpoint: door.url, contentId: 'film', monitor }), () => [
    { height: 360, kbps: 750 },
    { height: 540, kbps: 2000 },
  ]);
  relay.watch(video.asMedia());
  play({ door, relay, video, monitor });
  relay.close();
  const lines = await door.records(Infinity, (line) => recordOf(line).get('sta') === 'q');
  door.close();
  return lines.map((line) => keys.map((key) => recordOf(line).get(key) ?? '-').join(' '));
}

function begin({ relay, video }: Scene): void {
  video.paused = false;
  video.raise('play');
  relay.take('e=ps,sta=p');
}

test('a player that starts long before anybody wants to see it preloads', async () => {
  const told = await run((scene) => {
    scene.relay.take('e=ps,sta=s\n');
    begin(scene);
  }, 'e', 'sta');
  assert.deepEqual(told, ['ps d', 'ps s', 'ps p', 'ps q']);
});

test('what keeps from the first picture is startup, never a stall', async () => {
  const told = await run((scene) => {
    scene.video.paused = false;
    scene.video.raise('play');
    for (const state of ['w', 'r', 'k', 's', 'p']) scene.relay.take(`e=ps,sta=${state}`);
  }, 'sta');
  assert.deepEqual(told, ['s', 'p', 'q']);
});

test('waiting in a seek is the seek; a nudge in a stall is the stall', async () => {
  const told = await run((scene) => {
    begin(scene);
    for (const state of ['k', 'r', 'p', 'r']) scene.relay.take(`e=ps,sta=${state}`);
    scene.video.currentTime += 0.1;
    for (const state of ['k', 'p']) scene.relay.take(`e=ps,sta=${state}`);
  }, 'sta');
  assert.deepEqual(told, ['s', 'p', 'k', 'p', 'r', 'p', 'q']);
});

test('a seek while paused ends in the pause', async () => {
  const told = await run((scene) => {
    begin(scene);
    scene.video.paused = true;
    for (const state of ['a', 'k']) scene.relay.take(`e=ps,sta=${state}`);
    scene.video.raise('seeked');
  }, 'sta');
  assert.deepEqual(told, ['s', 'p', 'a', 'k', 'a', 'q']);
});

test('records carry the view of the SDK, numbers from 0 and the place of the playhead', async () => {
  const told = await run((scene) => {
    begin(scene);
    scene.video.currentTime = 12.5;
    scene.relay.take('cid="theirs",e=t,msd=9,sid="theirs",sn=44,sta=p\ne=rr,sn=45,url="https://x/y"');
    scene.monitor.viewId = 'view-2';
    scene.relay.take('e=t,sid="theirs",sn=46');
  }, 'sid', 'sn', 'cid', 'pt', 'msd');
  assert.deepEqual(told.slice(2), [
    '"view-1" 2 "film" 12500 -',
    '"view-1" 3 "film" - -',
    '"view-2" 0 "film" 12500 -',
  ]);
});

test('the rendition on screen is told by its height, not by what is fetched', async () => {
  const told = await run((scene) => {
    begin(scene);
    scene.video.videoHeight = 360;
    scene.video.raise('resize');
    scene.relay.take('br=(2000),e=bc');
    scene.relay.take('br=(2000),e=t');
  }, 'e', 'pb');
  assert.deepEqual(told, ['ps -', 'ps -', 'bc (750)', 't (750)', 'ps (750)']);
});

test('a failure is told once, with its code; what can be recovered from is none', async () => {
  const told = await run((scene) => {
    begin(scene);
    scene.relay.fault('1001', false);
    scene.relay.take('e=ps,sta=f\ne=e');
    scene.relay.fault('3016', true);
    scene.relay.take('e=ps,sta=f\nec=("3016"),e=e\ne=t,ec=27');
  }, 'e', 'sta', 'ec');
  assert.deepEqual(told.slice(2), ['e p ("1001")', 'ps f ("3016")', 't f -', 'ps q -']);
});
