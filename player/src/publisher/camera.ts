/** Measures a camera's or a screen's track: what it delivers, before any encoder. */

import type { Sample, Source } from './config.ts';

/** Counts of a track since it began (Media Capture Extensions); not every browser has them. */
interface TrackStats {
  deliveredFrames?: number;
  totalFrames?: number;
}

interface FrameMetadata {
  presentedFrames: number;
  mediaTime: number;
  width: number;
  height: number;
}

type FrameVideo = HTMLVideoElement & {
  requestVideoFrameCallback?(heard: (now: number, frame: FrameMetadata) => void): number;
  cancelVideoFrameCallback?(handle: number): void;
};

/** Returns the source of a video track. */
export function camera(track: MediaStreamTrack): Source {
  return new Camera(track);
}

class Camera implements Source {
  private readonly _track: MediaStreamTrack;
  private _video: FrameVideo | undefined;
  private _handle = 0;
  private _shown: FrameMetadata | undefined;
  private _at = 0;
  private _delivered = 0;
  private _total = 0;
  private _each: ((sample: Sample) => void) | undefined;

  constructor(track: MediaStreamTrack) {
    this._track = track;
    if (!this._stats()) this._show();
  }

  sample(): Promise<Sample | undefined> {
    const at = performance.now();
    const stats = this._stats();
    const delivered = stats?.deliveredFrames ?? this._shown?.presentedFrames ?? 0;
    const total = stats?.totalFrames ?? delivered;
    const span = at - this._at;
    const frames = delivered - this._delivered;
    const dropped = total - this._total - frames;
    const isFirst = !this._at;
    this._at = at;
    this._delivered = delivered;
    this._total = total;
    if (isFirst || this._track.readyState !== 'live' || this._track.muted) return Promise.resolve(undefined);
    const sample = this._size();
    sample.fps = rounded((frames * 1_000) / span);
    if (stats) sample.droppedFrames = Math.max(0, dropped);
    return Promise.resolve(sample);
  }

  each(heard: (sample: Sample) => void): boolean {
    this._each = heard;
    return this._show();
  }

  close(): void {
    const video = this._video;
    if (!video) return;
    this._video = undefined;
    video.cancelVideoFrameCallback?.(this._handle);
    video.pause();
    video.srcObject = null; // the track is the page's: it goes on
  }

  private _stats(): TrackStats | undefined {
    const stats = (this._track as MediaStreamTrack & { stats?: TrackStats }).stats;
    return stats?.deliveredFrames === undefined ? undefined : stats;
  }

  private _size(): Sample {
    const { width, height } = this._track.getSettings();
    return sized(width ?? this._shown?.width, height ?? this._shown?.height);
  }

  /** Plays the track where nobody sees it, to be told of its frames. */
  private _show(): boolean {
    if (this._video) return true;
    const video = document.createElement('video') as FrameVideo;
    if (!video.requestVideoFrameCallback) return false;
    video.muted = true;
    video.playsInline = true;
    video.srcObject = new MediaStream([this._track]);
    this._video = video;
    const next = (): void => {
      this._handle = video.requestVideoFrameCallback!((_, frame) => {
        if (!this._video) return;
        this._frame(frame);
        next();
      });
    };
    next();
    video.play().catch(() => {}); // what cannot play has no frames
    return true;
  }

  private _frame(frame: FrameMetadata): void {
    const before = this._shown;
    this._shown = frame;
    if (!before || !this._each) return;
    const missed = frame.presentedFrames - before.presentedFrames - 1;
    const sample = sized(frame.width, frame.height);
    const span = frame.mediaTime - before.mediaTime;
    if (span > 0) sample.fps = rounded((missed + 1) / span);
    sample.droppedFrames = Math.max(0, missed);
    this._each(sample);
  }
}

/** Returns a sample of a picture's size. */
export function sized(width?: number, height?: number): Sample {
  return width && height ? { resolution: `${width}x${height}`, width, height } : {};
}

/** Rounds to two digits behind the point. */
export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
