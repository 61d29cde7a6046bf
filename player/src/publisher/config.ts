/** What a page says to have its outgoing video measured, and the record that is sent. */

/** Settings of a `PublisherMonitor`. Times in ms. */
export interface PublisherConfig {
  /** The server (`https://metrics.example.org`) or the whole address of its door for rows. */
  endpoint: string;
  /** The write key of the property, where the server asks for one. */
  key?: string;
  /** Names the stream; at most 256 characters. */
  streamId: string;
  /** One record so often, from 500 to 1,500. Default 1,000. */
  intervalMs?: number;
  /** True: a record a frame, for a camera's track. Default false. */
  perFrame?: boolean;
  /** How long records wait for a batch. Default 5,000. */
  flushMs?: number;
  /** Records of one batch. Default 500. */
  maxBatchRecords?: number;
  /** Records held while nothing can be sent; the oldest go first. Default 10,000. */
  maxQueueRecords?: number;
  /** Wait before a batch is sent again, doubled each time. Default 1,000. */
  backoffMs?: number;
  /** Longest such wait. Default 60,000. */
  backoffMaxMs?: number;
  /** Hears every record as it is made. */
  onRecord?: (record: FrameRecord) => void;
  /** Hears what became of the batches: a sentence. */
  onReport?: (text: string) => void;
}

/** One record: a second of the outgoing video, or a frame of it. What is unknown is absent. */
export interface FrameRecord {
  streamId: string;
  /** ms since 1970. */
  timestamp: number;
  /** `1280x720`. */
  resolution?: string;
  /** Pixels. */
  width?: number;
  height?: number;
  /** Of the encoder's output, in kbit/s; a camera's raw frames have none. */
  bitrateKbps?: number;
  fps?: number;
  /** `key` where a key frame was among the frames, else `delta`. */
  frameType?: string;
  /** Frames that were not delivered or not encoded since the record before. */
  droppedFrames?: number;
  /** What held the encoder back: `none`, `cpu`, `bandwidth`, `other`. */
  qualityLimitationReason?: string;
  /** To the other side and back, as it reports it. */
  rttMs?: number;
}

/** What a source measured; the monitor adds the stream and the time. */
export type Sample = Omit<FrameRecord, 'streamId' | 'timestamp'>;

/** Something that sends video. */
export interface Source {
  /** Returns what happened since the last call; undefined while nothing is sent. */
  sample(): Promise<Sample | undefined>;
  /** Calls back for each frame, until closed; false: it cannot. */
  each?(heard: (sample: Sample) => void): boolean;
  close(): void;
}
