import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Video } from '../media/stage.ts';
import { Server } from '../transport/stage.ts';
import { TelemetryPlugin, type TelemetryPluginConfig } from '../../src/plugin/telemetry_plugin.ts';

const { default: Hls } = await import('hls.js');

test('the classic call measures by itself, with the classic settings', async () => {
  const server = await new Server().open();
  const video = new Video();
  const config: TelemetryPluginConfig = {
    endpoint: server.url, flushIntervalMs: 60_000, maxBatchSize: 2, maxQueueSize: 50, maxRetries: 2, backoffBaseMs: 10,
  };
  const plugin = new TelemetryPlugin(new Hls({ enableWorker: false }), video.as(), 'user-1', config);
  video.raise('play', { paused: false }).raise('click click');
  video.raise('pause', { paused: true });
  await plugin.flush();
  const events = server.requests.flatMap(({ events: some }) => some);
  assert.deepEqual(events.map(({ eventType }) => eventType), ['VIEW_INIT', 'PLAY', 'PAUSE']);
  assert.ok(events.every(({ viewerId, playerName }) => viewerId === 'user-1' && (!playerName || playerName === 'hls.js')));
  assert.equal(Math.max(...server.requests.map(({ events: some }) => some.length)), 2);
  plugin.destroy();
  await plugin.flush();
  await server.close();
});

test('the end tells of the viewer\'s acts, and nothing is told after it', () => {
  const told: [string, number | undefined][] = [];
  const video = new Video();
  const plugin = new TelemetryPlugin(new Hls({ enableWorker: false }), video.as(), 'user-1', {
    endpoint: 'http://127.0.0.1:9', storage: false,
    onEvent: ({ eventType, engagement }) => told.push([eventType, engagement?.interactionCount]),
  });
  video.raise('play', { paused: false }).raise('click volumechange');
  plugin.destroy();
  video.raise('pause click', { paused: true });
  assert.deepEqual(told.at(-1), ['STOP', 2]);
});
