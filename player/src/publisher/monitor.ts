/** Measures the sending side: a camera's track, or what a peer connection sends. */

import { createBatches, type Batches } from './batches.ts';
import { camera } from './camera.ts';
import type { PublisherConfig, Sample, Source } from './config.ts';
import { peer } from './peer.ts';

const INTERVAL_MS = 1_000;
/** The server takes records that are closer for frames, and waits no longer for the next one. */
const INTERVAL_MIN_MS = 500;
const INTERVAL_MAX_MS = 1_500;

/**
 * Sends a record a second (or a frame) of an outgoing video to the server's `stream_frames`:
 * resolution, bitrate, frame rate, dropped frames. No call throws, but for a source without video.
 */
export class PublisherMonitor {
  private readonly _config: PublisherConfig;
  private readonly _source: Source;
  private readonly _batches: Batches;
  private _timer: ReturnType<typeof setInterval> | undefined;
  private readonly _leave = (): void => this._batches.leave();

  /**
   * @param source - A video track, a stream with one, or a connection that sends one.
   * @param config - `endpoint` and `streamId` at least.
   */
  constructor(source: MediaStreamTrack | MediaStream | RTCPeerConnection, config: PublisherConfig) {
    this._config = config;
    this._batches = createBatches(config);
    this._source = sourceOf(source);
    const isEach = !!config.perFrame && !!this._source.each?.((sample) => this._put(sample));
    if (!isEach) this._begin();
    globalThis.addEventListener?.('pagehide', this._leave);
  }

  /** Sends what is held; resolves when the server has answered or sending failed. */
  flush(): Promise<void> {
    return this._batches.flush();
  }

  /** Sends what is held, and lets go of everything; the track and the connection stay the page's. */
  destroy(): void {
    clearInterval(this._timer);
    globalThis.removeEventListener?.('pagehide', this._leave);
    this._source.close();
    this._batches.close();
  }

  private _begin(): void {
    const look = (): void => {
      this._source.sample().then(
        (sample) => sample && this._put(sample),
        (error) => this._say(`The source could not be measured: ${error}`),
      );
    };
    look(); // the first look only says where the counts stand
    const ms = Math.max(INTERVAL_MIN_MS, this._config.intervalMs ?? INTERVAL_MS);
    this._timer = setInterval(look, Math.min(ms, INTERVAL_MAX_MS));
  }

  private _put(sample: Sample): void {
    const record = { streamId: this._config.streamId, timestamp: Date.now(), ...sample };
    this._batches.put(record);
    try {
      this._config.onRecord?.(record);
    } catch {
      // the page's own mistake
    }
  }

  private _say(text: string): void {
    try {
      this._config.onReport?.(text);
    } catch {
      // the page's own mistake
    }
  }
}

function sourceOf(source: MediaStreamTrack | MediaStream | RTCPeerConnection): Source {
  if ('getSenders' in source) return peer(source);
  const track = 'getVideoTracks' in source ? source.getVideoTracks()[0] : source;
  if (track?.kind !== 'video') throw new TypeError('A PublisherMonitor needs a video track, and there is none.');
  return camera(track);
}
