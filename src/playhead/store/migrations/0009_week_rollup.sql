-- Which sums of a week count: rows of `view_rollup` with hours = 168, put together from those of its days
-- (store/week_rollup.py). They count while each of the makings they are `of` does.
CREATE TABLE IF NOT EXISTS playhead.view_rollup_week
(
    first_day Date,
    made UInt64,
    of Array(UInt64),
    row_count UInt64,
    made_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(made_at)
ORDER BY first_day
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
