// Made by scripts/wire_types.py from the server's model; change that instead.

/** The kinds of event that the server's state machine knows. */
export type Kind =
  | 'VIEW_INIT'
  | 'PLAYER_READY'
  | 'PLAY'
  | 'PLAYING'
  | 'PAUSE'
  | 'BUFFER_START'
  | 'BUFFER_END'
  | 'SEEK_START'
  | 'SEEK_END'
  | 'QUALITY_CHANGE'
  | 'RATE_CHANGE'
  | 'CDN_CHANGE'
  | 'NETWORK_CHANGE'
  | 'VISIBILITY'
  | 'HEARTBEAT'
  | 'STATE'
  | 'PLAYER_ERROR'
  | 'ENDED'
  | 'STOP'
  | 'AD_BREAK_START'
  | 'AD_BREAK_END'
  | 'AD_REQUEST'
  | 'AD_RESPONSE'
  | 'AD_START'
  | 'AD_FIRST_QUARTILE'
  | 'AD_MIDPOINT'
  | 'AD_THIRD_QUARTILE'
  | 'AD_END'
  | 'AD_SKIP'
  | 'AD_PAUSE'
  | 'AD_RESUME'
  | 'AD_ERROR'
  | 'REQUEST'
  | 'CUSTOM';

/** The rendition on screen. `bitrate_kbps` is the manifest's, in kbit/s; sizes in pixels. */
export interface Quality {
  bitrateKbps?: number;
  resolution?: string;
  width?: number;
  height?: number;
  codec?: string;
  fps?: number;
}

/** A stall the client timed itself, in its own clock (ms since 1970). */
export interface Buffering {
  startedAt?: number;
  endedAt?: number;
  durationMs?: number;
  totalMs?: number;
}

/** What the browser's Network Information API says. */
export interface Network {
  downlinkMbps?: number;
  rttMs?: number;
  effectiveType?: string;
}

/** What the client says it runs on. `category` is a device class of `collect/device.py`. */
export interface Device {
  category?: string;
  model?: string;
  browser?: string;
  browserVersion?: string;
  os?: string;
  osVersion?: string;
  screenWidth?: number;
  screenHeight?: number;
  pixelRatio?: number;
}

/** Running totals of the player (frames since the view began) and its size in CSS pixels. */
export interface PlayerStats {
  decodedFrames?: number;
  droppedFrames?: number;
  fps?: number;
  bufferLengthSec?: number;
  width?: number;
  height?: number;
  throughputKbps?: number;
}

/** Running totals of the client's own clock, in ms; they move only at a pause. */
export interface Engagement {
  totalWatchTime?: number;
  totalPauseTime?: number;
  interactionCount?: number;
}

/** A playback error. `category` is technical, business or content; unknown is technical. */
export interface PlayerError {
  type?: string;
  details?: string;
  code?: string;
  message?: string;
  category?: string;
  fatal?: boolean;
}

/** An advertisement. `position` is preroll, midroll or postroll. */
export interface Ad {
  id?: string;
  position?: string;
  podIndex?: number;
  durationSec?: number;
}

/** What one server on the way said of a response (CMSD-Dynamic, CTA-5006). */
export interface Hop {
  name?: string;
  throughputKbps?: number;
  maxBitrateKbps?: number;
  rttMs?: number;
  delayMs?: number;
  duress?: boolean;
}

/** One media request of the player, times in ms from its start. `status` 0 = no response. */
export interface Request {
  kind?: string;
  host?: string;
  cdn?: string;
  status?: number;
  bytes?: number;
  ttfbMs?: number;
  totalMs?: number;
  bitrateKbps?: number;
  url?: string;
  bodyMs?: number;
  objectMs?: number;
  hops?: Hop[];
  cmsd?: string;
}

/** One thing that happened in one player, as it travels to `POST /telemetry`. */
export interface WireEvent {
  eventType: Kind;
  timestamp: number;
  eventId?: string;
  viewerId?: string;
  sessionId?: string;
  viewId?: string;
  seq?: number;
  playbackPositionSec?: number;
  sentAt?: number;
  monotonicMs?: number;
  state?: string;
  startupMs?: number;
  videoId?: string;
  videoTitle?: string;
  streamType?: string;
  durationSec?: number;
  cdn?: string;
  host?: string;
  playerName?: string;
  playerVersion?: string;
  experiment?: string;
  variant?: string;
  playbackRate?: number;
  liveLatencyMs?: number;
  heartbeatIntervalMs?: number;
  hidden?: boolean;
  autoplay?: boolean;
  reportSeq?: number;
  pageLoadMs?: number;
  playerStartupMs?: number;
  drmMs?: number;
  quality?: Quality;
  buffering?: Buffering;
  network?: Network;
  device?: Device;
  player?: PlayerStats;
  engagement?: Engagement;
  error?: PlayerError;
  ad?: Ad;
  request?: Request;
  custom?: Record<string, unknown>;
  _retryCount?: number;
}
