"""Where a question's rows come from: views, their intervals, requests of players or CDNs, frames.

Views are folded and replaced, so they are read with FINAL and found by the day they were first seen;
so are the intervals that lie in them. Requests and frames are read as they came. They lie in
partitions by the day of receipt: a row cannot be received later than `collect.max_log_age_ms`, an event
of a player later than `collect.max_event_age_ms`, after its moment (older ones are dropped at the door),
nor before it, except by a clock ahead: one day of margin on both sides.
"""

from typing import Final, Literal

import msgspec

from playhead.config import Config
from playhead.query.span import DAY_MS, LATEST_MS, Span, iso
from playhead.query.statement import Conditions, Params

SourceName = Literal["views", "renditions", "requests", "cdn", "frames"]
MINUTES: Final = "playhead.cdn_minutes"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One table of rows that metrics are made from."""

    name: SourceName
    table: str
    said: str
    """What its rows are called in sentences."""
    counted: str
    """The field of an answer that says how many rows took part."""
    of_views: bool = False
    """Whether its rows are views or lie in them: rows that replace each other."""
    select: str = ""
    """SQL of its FROM where that is not the table alone."""

    def rows(self) -> str:
        """Return the SQL of its FROM."""
        return self.select or (f"{self.table} FINAL" if self.of_views else self.table)


_INTERVALS: Final = (
    "playhead.views FINAL ARRAY JOIN interval_state AS state_, interval_from AS from_, "
    "interval_to AS to_, interval_bitrate_kbps AS kbps_, interval_height AS height_, "
    "interval_cdn AS cdn_"
)
_TIME_MAX_MS: Final = 3_600_000
_BYTES_MAX: Final = 10**12
"""What a view counts of a request (`process/fold/requests.py`) holds for the request as well."""


def _told(name: str, column: str, most: int) -> str:
    told = f"JSONExtract(request, '{name}', 'Nullable(Float64)')"
    return f"{told} AS told_{column}, if(told_{column} BETWEEN 0 AND {most}, told_{column}, NULL)"


_REQUESTS: Final = f"""(
SELECT received_at, at, e.property AS property, view_id, session_id, viewer_id, video_id,
    stream_type, country, region, city, asn, as_org, device_class, os, browser, player_name,
    player_version, connection_type, experiment, variant, bot, internal,
    JSONExtractString(request, 'kind') AS request_kind,
    if(JSONExtractString(request, 'host') = '', e.host, JSONExtractString(request, 'host')) AS host,
    if(JSONExtractString(request, 'cdn') = '', e.cdn, JSONExtractString(request, 'cdn')) AS cdn,
    JSONExtractUInt(request, 'status') AS status,
    multiIf(status BETWEEN 100 AND 599, concat(toString(intDiv(status, 100)), 'xx'),
        status > 0, 'other',
        JSONHas(request, 'status'), 'none', '') AS status_class,
    multiIf(event_type ILIKE '%cancel%', 'canceled',
        event_type ILIKE '%fail%' OR status >= 400 OR status_class = 'none', 'failed',
        'completed') AS outcome,
    {_told("bytes", "bytes", _BYTES_MAX)} AS bytes,
    {_told("ttfbMs", "ttfb_ms", _TIME_MAX_MS)} AS ttfb_ms,
    {_told("totalMs", "total_ms", _TIME_MAX_MS)} AS total_ms
FROM playhead.events AS e WHERE e.kind = 'REQUEST')"""  # noqa: S608 (all of it is ours)
SOURCES: Final[dict[SourceName, Source]] = {
    "views": Source(
        name="views", table="playhead.views", said="Views", counted="views", of_views=True
    ),
    "renditions": Source(
        name="renditions",
        table="playhead.views",
        said="Intervals",
        counted="intervals",
        of_views=True,
        select=_INTERVALS,
    ),
    "requests": Source(
        name="requests",
        table="playhead.events",
        said="Requests of players",
        counted="requests",
        select=_REQUESTS,
    ),
    "cdn": Source(
        name="cdn", table="playhead.cdn_requests", said="CDN requests", counted="requests"
    ),
    "frames": Source(
        name="frames", table="playhead.stream_frames", said="Frames", counted="records"
    ),
}
BOUND_TABLES: Final = (
    "playhead.views", "playhead.events", "playhead.quarantine", "playhead.cdn_requests",
    "playhead.stream_frames", MINUTES,
    "playhead.view_rollup", "playhead.forgotten",
)  # fmt: skip
"""Tables with a property: a token bound to one sees only its rows of them."""


def receipt_days(span: Span, config: Config, source: SourceName | None = None) -> tuple[str, str]:
    """Return the first and last day on which rows of the span may have been received."""
    collect = config.collect
    age_ms = collect.max_event_age_ms if source == "requests" else collect.max_log_age_ms
    last_ms = min(LATEST_MS, span.to_ms + age_ms + DAY_MS)
    return iso(max(0, span.from_ms - DAY_MS))[:10], iso(last_ms)[:10]


def add_receipt(
    params: Params,
    conditions: Conditions,
    span: Span,
    config: Config,
    *,
    column: str,
    source: SourceName | None = None,
) -> None:
    """Add the days of receipt of rows whose moment lies in the span.

    Args:
        params: Where values are bound.
        conditions: What is added to.
        span: The span of the moments.
        config: For the age up to which rows are taken.
        column: SQL of the day of receipt: `toDate(received_at)` or a column.
        source: Whose rows; events of players come sooner than lines of logs.
    """
    first, last = (params.add("Date", day) for day in receipt_days(span, config, source))
    conditions.add(f"{column} BETWEEN {first} AND {last}")
