-- Whom a deletion was about: keyed hashes, never ids. What was sent before and comes once more later
-- (a late retry of a player) is known by them and dropped. `at_ms`: the log's time of the deletion.
CREATE TABLE IF NOT EXISTS playhead.forgotten
(
    kind LowCardinality(String),
    property LowCardinality(String),
    digest String,
    at_ms Int64,
    log_offset Int64
)
ENGINE = ReplacingMergeTree(at_ms)
ORDER BY (kind, property, digest)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
