-- Events that could not be stored as events, with the reason.
-- Times arrive as integer milliseconds in the ephemeral twins (`received_at_ms` fills `received_at`):
-- a bare JSON number for a DateTime64 would be read as seconds.
CREATE TABLE IF NOT EXISTS playhead.quarantine
(
    received_at DateTime64(3, 'UTC') DEFAULT fromUnixTimestamp64Milli(received_at_ms, 'UTC'),
    received_at_ms Int64 EPHEMERAL,
    log_offset Int64,
    log_index UInt32,
    door LowCardinality(String),
    property LowCardinality(String),
    code LowCardinality(String),
    message String,
    body String CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(received_at)
ORDER BY (received_at, log_offset, log_index)
SETTINGS
    non_replicated_deduplication_window = 10000,
    ttl_only_drop_parts = 1,
    materialize_ttl_recalculate_only = 1,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
