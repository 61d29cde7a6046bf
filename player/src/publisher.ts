/** Measures the sending side of a stream: a camera, a screen, or what WebRTC sends. */

export { PublisherMonitor } from './publisher/monitor.ts';
export type { FrameRecord, PublisherConfig } from './publisher/config.ts';
