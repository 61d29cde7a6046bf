/** A drop-in for telemetry plugins that are made from an hls.js player, a video and a viewer. */

import { type Hls, hlsAdapter } from '../adapters/hls.ts';
import { createMonitor } from '../core/monitor.ts';
import { fed } from '../media/element.ts';
import type { Adapter, Config, Monitor } from '../types.ts';

/** Settings by their classic names, besides all of ours. Times in ms. */
export interface TelemetryPluginConfig extends Config {
  /** How long ordinary events wait for a batch: `flushMs`. */
  flushIntervalMs?: number;
  /** Events: `maxBatchEvents`. */
  maxBatchSize?: number;
  /** Events: `maxQueueEvents`. */
  maxQueueSize?: number;
  /** The wait before the second sending, doubled each time: `backoffMs`. */
  backoffBaseMs?: number;
}

/**
 * Measures what hls.js plays in the element, from now on until `destroy()`.
 *
 * Heartbeats and the end tell of the viewer's engagement: ms watched, ms paused, acts on the player
 * (clicks, keys, the volume). The totals move all the while, not at pauses alone.
 */
export class TelemetryPlugin {
  /** The measured player; what the classic names lack. */
  readonly monitor: Monitor;

  constructor(hls: Hls, videoElement: HTMLMediaElement, viewerId: string, config: TelemetryPluginConfig) {
    const { flushIntervalMs, maxBatchSize, maxQueueSize, backoffBaseMs, ...own } = config;
    const settings: Config = { ...own, viewerId };
    if (flushIntervalMs !== undefined) settings.flushMs ??= flushIntervalMs;
    if (maxBatchSize !== undefined) settings.maxBatchEvents ??= maxBatchSize;
    if (maxQueueSize !== undefined) settings.maxQueueEvents ??= maxQueueSize;
    if (backoffBaseMs !== undefined) settings.backoffMs ??= backoffBaseMs;
    const acts: Adapter = (host) => {
      const act = () => this.monitor.interaction();
      for (const type of ['click', 'keydown', 'volumechange']) {
        host.listen(videoElement, type, act);
      }
    };
    this.monitor = createMonitor(settings, [fed(videoElement), hlsAdapter(hls, videoElement), acts]);
  }

  /** Sends what is held; resolves when the server has answered or sending failed. */
  flush(): Promise<void> {
    return this.monitor.flush();
  }

  /** Ends the view, sends what is held, and lets go of the player. */
  destroy(): void {
    this.monitor.destroy();
  }
}
