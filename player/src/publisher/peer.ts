/** Measures what an `RTCPeerConnection` sends: what its encoder makes of the frames it is given. */

import { rounded, sized } from './camera.ts';
import type { Sample, Source } from './config.ts';

/** What is read of the statistics (W3C webrtc-stats); counts since the connection began. */
interface Stat {
  id: string;
  type: string;
  kind?: string;
  active?: boolean;
  bytesSent?: number;
  frames?: number;
  framesEncoded?: number;
  framesPerSecond?: number;
  frameWidth?: number;
  frameHeight?: number;
  keyFramesEncoded?: number;
  mediaSourceId?: string;
  qualityLimitationReason?: string;
  roundTripTime?: number;
  timestamp: number;
}

interface Counts {
  at: number;
  bytes: number;
  encoded: number;
  keys: number;
  given: number;
}

/** Returns the source of a connection's outgoing video; all its layers are one stream. */
export function peer(connection: RTCPeerConnection): Source {
  let before: Counts | undefined;
  return {
    async sample() {
      if (connection.connectionState === 'closed') return undefined;
      const stats: Stat[] = [];
      (await connection.getStats()).forEach((stat: Stat) => stats.push(stat));
      const sent = stats.filter((one) => one.type === 'outbound-rtp' && one.kind === 'video');
      if (!sent.length) return undefined;
      const widest = sent.reduce((most, one) => (pixels(one) > pixels(most) ? one : most));
      const now = countsOf(sent, widest, stats);
      const last = before;
      before = now;
      return last && now.at > last.at ? sampleOf(now, last, widest, stats) : undefined;
    },
    close() {},
  };
}

function pixels(stat: Stat): number {
  return stat.active === false ? -1 : (stat.frameWidth ?? 0) * (stat.frameHeight ?? 0);
}

function countsOf(sent: readonly Stat[], widest: Stat, stats: readonly Stat[]): Counts {
  const source = stats.find((one) => one.type === 'media-source' && one.id === widest.mediaSourceId);
  return {
    at: widest.timestamp,
    bytes: sent.reduce((sum, one) => sum + (one.bytesSent ?? 0), 0),
    encoded: widest.framesEncoded ?? 0,
    keys: widest.keyFramesEncoded ?? 0,
    given: source?.frames ?? -1,
  };
}

function sampleOf(now: Counts, last: Counts, widest: Stat, stats: readonly Stat[]): Sample {
  const span = now.at - last.at;
  const encoded = now.encoded - last.encoded;
  const sample = sized(widest.frameWidth, widest.frameHeight);
  // Bytes over ms are kbit/s once there are 8 bits to each; a layer that was added counts from 0.
  sample.bitrateKbps = rounded((Math.max(0, now.bytes - last.bytes) * 8) / span);
  sample.fps = rounded((Math.max(0, encoded) * 1_000) / span);
  if (encoded > 0) sample.frameType = now.keys > last.keys ? 'key' : 'delta';
  if (now.given >= 0 && last.given >= 0) {
    sample.droppedFrames = Math.max(0, now.given - last.given - encoded);
  }
  if (widest.qualityLimitationReason) sample.qualityLimitationReason = widest.qualityLimitationReason;
  const answer = stats.find((one) => one.type === 'remote-inbound-rtp' && one.kind === 'video');
  if (answer?.roundTripTime !== undefined) sample.rttMs = rounded(answer.roundTripTime * 1_000);
  return sample;
}
