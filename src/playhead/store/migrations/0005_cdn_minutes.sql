-- CDN requests summed by minute: what /v1/cdn/kpis reads. Rows of one minute and group may be several
-- (one a day of receipt, and until merged one an insert): readers sum them.
-- The quantiles are DDSketches of 1 % relative error. Filled by the view below from each insert of
-- cdn_requests; a block repeated under its token is left out here too.
CREATE TABLE IF NOT EXISTS playhead.cdn_minutes
(
    received_day Date,
    property LowCardinality(String),
    minute DateTime('UTC'),
    cdn LowCardinality(String),
    owner LowCardinality(String),
    pop LowCardinality(String),
    bot Bool,
    internal Bool,
    requests SimpleAggregateFunction(sum, UInt64),
    errors SimpleAggregateFunction(sum, UInt64),
    errors_compat SimpleAggregateFunction(sum, UInt64),
    timed SimpleAggregateFunction(sum, UInt64),
    slow SimpleAggregateFunction(sum, UInt64),
    cached SimpleAggregateFunction(sum, UInt64),
    hits SimpleAggregateFunction(sum, UInt64),
    bytes SimpleAggregateFunction(sum, Float64),
    ttfb AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), Nullable(Float64)),
    total AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), Nullable(Float64))
)
ENGINE = AggregatingMergeTree
PARTITION BY received_day
ORDER BY (property, minute, cdn, owner, pop, bot, internal)
SETTINGS
    non_replicated_deduplication_window = 10000,
    ttl_only_drop_parts = 1,
    materialize_ttl_recalculate_only = 1,
    fsync_after_insert = 1,
    fsync_part_directory = 1;
CREATE MATERIALIZED VIEW IF NOT EXISTS playhead.cdn_minutes_fill TO playhead.cdn_minutes AS
SELECT
    toDate(received_at) AS received_day,
    property,
    toStartOfMinute(toDateTime(at, 'UTC')) AS minute,
    cdn,
    owner,
    pop,
    bot,
    internal,
    count() AS requests,
    countIf(status >= 400) AS errors,
    countIf(status > 299) AS errors_compat,
    countIf(ifNull(ttfb_ms, total_ms) IS NOT NULL) AS timed,
    countIf(ifNull(ttfb_ms, total_ms) > 200) AS slow,
    countIf(cache != '') AS cached,
    countIf(cache IN ('hit', 'stale', 'refresh')) AS hits,
    sum(ifNull(bytes_out, 0)) AS bytes,
    quantilesDDState(0.01, 0.5, 0.95, 0.99)(ttfb_ms) AS ttfb,
    quantilesDDState(0.01, 0.5, 0.95, 0.99)(total_ms) AS total
FROM playhead.cdn_requests
GROUP BY received_day, property, minute, cdn, owner, pop, bot, internal;
