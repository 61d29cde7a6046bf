-- Sums of views, made by a background job from closed days and read instead of them: store/rollup.py.
-- The columns of the metrics are not here: they are made from the catalogue (ALTER TABLE … ADD COLUMN).
-- `moment`: whether views count by their start or end; `since`, `hours`: the bucket, 1 or 24 hours;
-- `made`: a number of its own for each making of a day. Rows count only if `view_rollup_state` names it.
-- A month is one partition: a year is read from some dozen parts, not from hundreds.
CREATE TABLE IF NOT EXISTS playhead.view_rollup
(
    first_seen_day Date,
    made UInt64,
    moment Enum8('start' = 1, 'end' = 2),
    hours UInt8,
    dimension LowCardinality(String),
    since DateTime('UTC'),
    value String,
    property LowCardinality(String),
    bot Bool,
    internal Bool
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(first_seen_day)
ORDER BY (moment, hours, dimension, since, value, property)
SETTINGS
    index_granularity = 128,
    min_bytes_for_wide_part = 1073741824,
    ttl_only_drop_parts = 1,
    materialize_ttl_recalculate_only = 1,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
-- Which making of a day counts, and the state of the day's views it was made from.
CREATE TABLE IF NOT EXISTS playhead.view_rollup_state
(
    first_seen_day Date,
    made UInt64,
    layout String,
    first_block Int64,
    last_block Int64,
    last_mutation Int64,
    dimensions Array(LowCardinality(String)),
    start_hours Array(DateTime('UTC')),
    end_hours Array(DateTime('UTC')),
    row_count UInt64,
    made_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(made_at)
ORDER BY first_seen_day
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
