"""The report of CTA-2066: the standard's aggregates of sessions, under its own names.

A session is a view: ads open none, and a view left before its first frame counts. Each aggregate is a
metric of the catalogue, measured as the standard says, so both give the same numbers.
"""

# ruff: noqa: S608 (the text is this folder's own; whatever comes from outside is bound)

from typing import Any, Final

import msgspec

from playhead.query.catalogue import Dimension
from playhead.query.metrics import text_sql, where_sql
from playhead.query.question import (
    FILTERS,
    Asking,
    Values,
    check_names,
    one,
    scope_of,
    span_in,
    whole,
)
from playhead.query.reader import Reader
from playhead.query.scope import Scope
from playhead.query.source import SOURCES
from playhead.query.span import Span
from playhead.query.statement import Params

Row = dict[str, Any]
AGGREGATES: Final[dict[str, tuple[str, str]]] = {
    "playbackFailurePercentage": ("playback_failure_percentage", "cta2066"),
    "averageInitialStartupTime": ("startup_time", "cta2066"),
    "averageStallCount": ("rebuffer_count", "cta2066"),
    "averageStalledTimePercentage": ("rebuffer_percentage", "percentage"),
    "averageBitrate": ("weighted_bitrate", "cta2066"),
}
"""The standard's name of each aggregate, and the metric and measurement that it is."""
SUMS: Final[dict[str, str]] = {
    "sessions": "count()",
    "sessionsStarted": "count(startup_ms)",
    "playbackFailed": "countIf({failed})",
    "playbackStallCount": "sum(rebuffer_count)",
    "playbackStallDuration": "sum(rebuffer_ms)",
    "watchedTime": "sum(watch_ms)",
    "bitsPlayed": "sum(bits_played) * 1000",
}
"""The session metrics summed up: times in ms, bits in bits."""
UNITS: Final[dict[str, str]] = {
    "sessions": "sessions",
    "sessionsStarted": "sessions",
    "playbackFailed": "sessions",
    "playbackFailurePercentage": "%",
    "averageInitialStartupTime": "ms",
    "playbackStallCount": "stalls",
    "averageStallCount": "stalls",
    "playbackStallDuration": "ms",
    "watchedTime": "ms",
    "averageStalledTimePercentage": "%",
    "bitsPlayed": "bit",
    "averageBitrate": "kbit/s",
}
"""Every field of a row in its order, with its unit."""
_SINGLE: Final = frozenset({"from", "to", "timezone", "group_by", "limit"})
_DEFAULT_GROUPS: Final = 50


class Cta2066Question(msgspec.Struct, frozen=True, kw_only=True):
    """Which sessions, those that ended in the span; by a dimension or all together."""

    span: Span
    scope: Scope
    group_by: Dimension | None
    limit: int


def cta2066_question_of(values: Values, asking: Asking) -> Cta2066Question:
    """Read a question for the report.

    Raises:
        InvalidRequest: A parameter is unknown or not valid; the sentence names it.
    """
    check_names(values, _SINGLE, FILTERS)
    group_by = one(values, "group_by")
    return Cta2066Question(
        span=span_in(values, asking),
        scope=scope_of(values, asking),
        group_by=asking.catalogue.dimension(group_by) if group_by else None,
        limit=whole(values, "limit", _DEFAULT_GROUPS, most=asking.config.query.max_groups),
    )


async def report(reader: Reader, question: Cta2066Question) -> tuple[list[Row], bool]:
    """Return the aggregates, a row a group with most sessions first, and whether there are more.

    Without a group there is one row, also where there is no session; averages are then null.
    """
    params = Params()
    numbers = ", ".join(f"{sql} AS {name}" for name, sql in _numbers(reader).items())
    where = where_sql(reader, question.scope, question.span, "ended_at", params)
    group, cut = "''", ""
    if question.group_by is not None:
        group, cut = text_sql(question.group_by, params), "GROUP BY group "
    limit = params.add("UInt32", question.limit + 1)
    sql = (
        f"SELECT {group} AS group, {numbers} FROM {SOURCES['views'].rows()} WHERE {where} {cut}"
        f"ORDER BY sessions DESC, group LIMIT {limit}"
    )
    rows = await reader.about(question, sql, params)
    grouped = question.group_by is not None
    return [
        ({"group": row["group"]} if grouped else {}) | {name: row[name] for name in UNITS}
        for row in rows[: question.limit]
    ], len(rows) > question.limit


def _numbers(reader: Reader) -> dict[str, str]:
    """Return the SQL of every field."""
    failed = reader.catalogue.metric("playback_failure_percentage").resolved("cta2066")[0].numerator
    found = {name: sql.replace("{failed}", failed) for name, sql in SUMS.items()}
    for name, (metric, measurement) in AGGREGATES.items():
        found[name] = reader.catalogue.metric(metric).aggregate(measurement)
    return found
