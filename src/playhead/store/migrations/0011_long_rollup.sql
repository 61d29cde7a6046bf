-- Which sums of several days count: rows of `view_rollup` put together from those of single days
-- (store/long_rollup.py), with hours = 168 for a week and 0 for four, which the type of `hours` does not hold.
-- They count while each of the makings they are `of` does. `slot`: of what there is one sum at a time.
CREATE TABLE IF NOT EXISTS playhead.view_rollup_long
(
    days UInt8,
    slot UInt16,
    first_day Date,
    made UInt64,
    of Array(UInt64),
    row_count UInt64,
    made_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(made_at)
ORDER BY (days, slot)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
-- Weeks are put together anew under the new name, in idle time; until then their days answer.
DROP TABLE IF EXISTS playhead.view_rollup_week;
