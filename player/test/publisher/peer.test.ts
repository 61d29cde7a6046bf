import assert from 'node:assert/strict';
import test from 'node:test';
import { peer } from '../../src/publisher/peer.ts';

/** A connection whose statistics are what the test says. */
function connection(...rounds: object[][]): RTCPeerConnection {
  return {
    connectionState: 'connected',
    getStats: () => Promise.resolve(new Map(rounds.shift()!.map((one, index) => [`${index}`, one]))),
  } as unknown as RTCPeerConnection;
}

const layer = (timestamp: number, bytesSent: number, framesEncoded: number, more: object = {}) => ({
  type: 'outbound-rtp', kind: 'video', id: 'o', mediaSourceId: 'm', timestamp, bytesSent, framesEncoded,
  frameWidth: 1280, frameHeight: 720, keyFramesEncoded: 1, qualityLimitationReason: 'none', ...more,
}); // prettier-ignore
const given = (frames: number) => ({ type: 'media-source', id: 'm', kind: 'video', frames });

test('rates are of the time between two looks; frames given and not encoded were dropped', async () => {
  const source = peer(
    connection(
      [layer(1_000, 10_000, 30), given(30)],
      [
        layer(2_000, 260_000, 55, { keyFramesEncoded: 2, qualityLimitationReason: 'cpu' }),
        given(60),
        { type: 'remote-inbound-rtp', kind: 'video', roundTripTime: 0.05 },
      ],
    ),
  );
  assert.equal(await source.sample(), undefined);
  assert.deepEqual(await source.sample(), {
    resolution: '1280x720', width: 1280, height: 720, bitrateKbps: 2000, fps: 25, frameType: 'key',
    droppedFrames: 5, qualityLimitationReason: 'cpu', rttMs: 50,
  }); // prettier-ignore
});

test('layers of simulcast are one stream: all their bytes, the largest picture that is active', async () => {
  const small = (at: number, bytes: number) => layer(at, bytes, 10, { frameWidth: 320, frameHeight: 180, id: 's' });
  const off = (at: number) => layer(at, 0, 0, { frameWidth: 1920, frameHeight: 1080, active: false });
  const source = peer(connection([small(0, 0), layer(0, 0, 0), off(0)], [small(1_000, 25_000), layer(1_000, 100_000, 30), off(1_000)]));
  await source.sample();
  const sample = await source.sample();
  assert.equal(sample?.bitrateKbps, 1000);
  assert.equal(sample?.resolution, '1280x720');
});

test('a connection that sends no video has no records', async () => {
  const source = peer(connection([{ type: 'outbound-rtp', kind: 'audio', timestamp: 1 }]));
  assert.equal(await source.sample(), undefined);
});
