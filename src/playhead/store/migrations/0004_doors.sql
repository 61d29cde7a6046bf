-- What the doors of title "every door" need: CDN requests, frames of encoders, quarantine with enough
-- beside each row to take it up again. Columns: model/event_row.py, model/cdn_request.py, model/frame.py.
ALTER TABLE playhead.events ADD COLUMN IF NOT EXISTS report_seq Nullable(Int64) AFTER autoplay;
ALTER TABLE playhead.events ADD COLUMN IF NOT EXISTS buffering_total_ms Nullable(Float64) AFTER buffering_ms;
ALTER TABLE playhead.quarantine ADD COLUMN IF NOT EXISTS source LowCardinality(String) AFTER property;
ALTER TABLE playhead.quarantine ADD COLUMN IF NOT EXISTS context String CODEC(ZSTD(1)) AFTER body;
ALTER TABLE playhead.quarantine ADD COLUMN IF NOT EXISTS truncated Bool AFTER context;
-- Quarantined rows that were taken up again, and the log offset where they went.
CREATE TABLE IF NOT EXISTS playhead.quarantine_retries
(
    log_offset Int64,
    log_index UInt32,
    retried_at DateTime64(3, 'UTC') DEFAULT fromUnixTimestamp64Milli(retried_at_ms, 'UTC'),
    retried_at_ms Int64 EPHEMERAL,
    retry_offset Int64
)
ENGINE = ReplacingMergeTree
ORDER BY (log_offset, log_index)
SETTINGS
    non_replicated_deduplication_window = 10000,
    ttl_only_drop_parts = 1,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
-- Plain String as in `events`: dictionaries for so many columns would cost a good part of each insert.
CREATE TABLE IF NOT EXISTS playhead.cdn_requests
(
    received_at DateTime64(3, 'UTC') DEFAULT fromUnixTimestamp64Milli(received_at_ms, 'UTC'),
    received_at_ms Int64 EPHEMERAL,
    log_offset Int64,
    log_index UInt32,
    door String,
    property LowCardinality(String),
    at DateTime64(3, 'UTC') DEFAULT fromUnixTimestamp64Milli(at_ms, 'UTC'),
    at_ms Int64 EPHEMERAL,
    cdn LowCardinality(String),
    pop LowCardinality(String),
    owner LowCardinality(String),
    video_id String,
    rendition String,
    segment String,
    method String,
    host String,
    path String CODEC(ZSTD(1)),
    status UInt16,
    cache String,
    cache_detail String,
    bytes_out Nullable(Float64),
    bytes_in Nullable(Float64),
    ttfb_ms Nullable(Float64),
    total_ms Nullable(Float64),
    protocol String,
    country String,
    region String,
    city String,
    asn UInt32,
    as_org String,
    device_class String,
    os String,
    browser String,
    bot Bool,
    internal Bool,
    address String,
    request_id String,
    view_id String,
    session_id String,
    content_id String,
    cmcd_version UInt8,
    object_type String,
    bitrate_kbps Nullable(Float64),
    top_bitrate_kbps Nullable(Float64),
    object_ms Nullable(Float64),
    buffer_ms Nullable(Float64),
    throughput_kbps Nullable(Float64),
    starved Nullable(Bool),
    startup Nullable(Bool),
    stream_format String,
    stream_type String,
    playback_rate Nullable(Float64),
    cmcd String CODEC(ZSTD(1)),
    extra String CODEC(ZSTD(1)),
    INDEX view_id_bloom view_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX session_id_bloom session_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX at_minmax at TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(received_at)
ORDER BY (property, cdn, owner, pop, at)
SETTINGS
    non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 134217728,
    ttl_only_drop_parts = 1,
    materialize_ttl_recalculate_only = 1,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
CREATE TABLE IF NOT EXISTS playhead.stream_frames
(
    received_at DateTime64(3, 'UTC') DEFAULT fromUnixTimestamp64Milli(received_at_ms, 'UTC'),
    received_at_ms Int64 EPHEMERAL,
    log_offset Int64,
    log_index UInt32,
    door LowCardinality(String),
    property LowCardinality(String),
    at DateTime64(3, 'UTC') DEFAULT fromUnixTimestamp64Milli(at_ms, 'UTC'),
    at_ms Int64 EPHEMERAL,
    stream_id String,
    resolution LowCardinality(String),
    width Nullable(Float64),
    height Nullable(Float64),
    bitrate_kbps Nullable(Float64),
    fps Nullable(Float64),
    frame_type LowCardinality(String),
    dropped_frames Nullable(Float64),
    extra String CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(received_at)
ORDER BY (property, stream_id, at)
SETTINGS
    non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 134217728,
    ttl_only_drop_parts = 1,
    materialize_ttl_recalculate_only = 1,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
