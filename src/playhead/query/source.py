"""Where a question's rows come from: views, CDN requests, or frames of encoders.

Views are folded and replaced, so they are read with FINAL and found by the day they were first seen.
Requests and frames are read as they came. They lie in partitions by the day of receipt: a row cannot
be received later than `collect.max_log_age_ms` after its moment (older ones are dropped at the door),
nor before it, except by a clock ahead: one day of margin on both sides.
"""

from typing import Final, Literal

import msgspec

from playhead.config import Config
from playhead.query.span import DAY_MS, LATEST_MS, Span, iso
from playhead.query.statement import Conditions, Params

SourceName = Literal["views", "cdn", "frames"]
MINUTES: Final = "playhead.cdn_minutes"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One table of rows that metrics are made from."""

    name: SourceName
    table: str
    said: str
    """What its rows are called in sentences."""
    counted: str
    """The field of an answer that says how many rows took part."""
    final: bool = False
    """Whether rows replace each other."""

    def rows(self) -> str:
        """Return the SQL of its FROM."""
        return f"{self.table} FINAL" if self.final else self.table


SOURCES: Final[dict[SourceName, Source]] = {
    "views": Source(
        name="views", table="playhead.views", said="Views", counted="views", final=True
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
)  # fmt: skip
"""Tables with a property: a token bound to one sees only its rows of them."""


def receipt_days(span: Span, config: Config) -> tuple[str, str]:
    """Return the first and last day on which rows of the span may have been received."""
    last_ms = min(LATEST_MS, span.to_ms + config.collect.max_log_age_ms + DAY_MS)
    return iso(max(0, span.from_ms - DAY_MS))[:10], iso(last_ms)[:10]


def add_receipt(
    params: Params, conditions: Conditions, span: Span, config: Config, *, column: str
) -> None:
    """Add the days of receipt of rows whose moment lies in the span.

    Args:
        params: Where values are bound.
        conditions: What is added to.
        span: The span of the moments.
        config: For the age up to which rows are taken.
        column: SQL of the day of receipt: `toDate(received_at)` or a column.
    """
    first, last = (params.add("Date", day) for day in receipt_days(span, config))
    conditions.add(f"{column} BETWEEN {first} AND {last}")
