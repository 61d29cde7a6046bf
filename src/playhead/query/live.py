"""What is going on now: who watches, starts, stalls and fails, in buckets of five seconds."""

# ruff: noqa: S608 (the text is this folder's own; whatever comes from outside is bound)

import asyncio
from collections.abc import Iterable
from typing import Any

import msgspec

from playhead.query.catalogue import Dimension
from playhead.query.crowd import VIEWS, intervals_sql, present_sql
from playhead.query.metrics import (
    Row,
    SeriesKey,
    labels_of,
    named_sql,
    series_keys,
    series_of,
    text_sql,
)
from playhead.query.question import FILTERS, Asking, Values, check_names, one, scope_of, whole
from playhead.query.reader import Reader
from playhead.query.scope import Scope, add_days, add_span
from playhead.query.span import MINUTE_MS, Span, iso
from playhead.query.statement import Conditions, Params, Statement

BUCKET_MS = 5_000
_DEFAULT_MINUTES = 30
_DEFAULT_GROUPS = 10
_SINGLE = frozenset({"minutes", "group_by", "limit"})
_SUMS = ("present", "starting", "stalled", "kbps_sum", "shown")
_NOTHING = (0,) * len(_SUMS)
Sums = tuple[int, ...]
"""What the numbers of a bucket are made from: `_SUMS` at its end, failures and starts within it."""


class LiveQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """The last minutes, cut by a dimension or not."""

    span: Span
    scope: Scope
    group_by: Dimension | None = None
    limit: int = _DEFAULT_GROUPS
    is_kept: bool = True
    """Whether answers are kept for a moment, for others who ask the same."""

    @property
    def buckets(self) -> int:
        """Return how many buckets the span is cut into; the last one may be under way."""
        return -(-self.span.length_ms // BUCKET_MS)


class LiveNumbers(msgspec.Struct, frozen=True):
    """The sums of every series, a bucket each from the span's start on."""

    span: Span
    series: dict[SeriesKey, list[Sums]]


def live_question_of(values: Values, asking: Asking) -> LiveQuestion:
    """Read a live question; its span ends at the last full five seconds.

    Raises:
        InvalidRequest: A parameter is unknown or not valid; the sentence names it.
    """
    check_names(values, _SINGLE, FILTERS)
    minutes = whole(values, "minutes", _DEFAULT_MINUTES, most=asking.config.query.max_live_minutes)
    passed_ms = asking.now_ms - asking.config.query.cache_open_ms  # never ahead of the clock
    end = passed_ms - passed_ms % BUCKET_MS
    group_by = one(values, "group_by")
    return LiveQuestion(
        span=Span(end - minutes * MINUTE_MS, end),
        scope=scope_of(values, asking),
        group_by=None if group_by is None else asking.catalogue.dimension(group_by),
        limit=whole(values, "limit", _DEFAULT_GROUPS, most=asking.config.query.max_series),
    )


async def live(reader: Reader, question: LiveQuestion) -> list[Row]:
    """Return a row a bucket (and group): numbers at the bucket's end, counts within it.

    Fields: `time` (the bucket's start), `group` and `other` when cut, `concurrent_viewers`,
    `starting_up`, `rebuffering`, `rebuffering_percentage` (of the concurrent viewers, NULL
    without any), `bitrate_kbps` (mean of the playing viewers with a known one), `failures`, `starts`.
    A view that failed within the bucket still counts as concurrent at its end.
    """
    names = await largest(reader, question)
    found = await numbers(reader, question, names)
    return [
        row_of(question, key, found.span.from_ms + at * BUCKET_MS, sums)
        for key, series in found.series.items()
        for at, sums in enumerate(series)
    ]


async def numbers(reader: Reader, question: LiveQuestion, names: list[str]) -> LiveNumbers:
    """Return the sums of the named groups and of all the others; of one series where not cut."""
    steps, counts = await asyncio.gather(
        _steps(reader, question, names), _counts(reader, question, names)
    )
    found = [key for key, _ in (*steps, *counts)]
    keys = series_keys(question.group_by, names, found)
    series = {key: list(_series(question.buckets, steps, counts, key)) for key in keys}
    return LiveNumbers(question.span, series)


def row_of(question: LiveQuestion, key: SeriesKey, at_ms: int, sums: Sums) -> Row:
    """Return the row of a bucket that starts at `at_ms`."""
    return {"time": iso(at_ms), **labels_of(question.group_by, key), **fields_of(sums)}


def fields_of(sums: Sums) -> dict[str, Any]:
    """Return the numbers of a bucket by name."""
    present, starting, stalled, kbps, shown, failures, starts = sums
    viewers = present + failures
    return {
        "concurrent_viewers": viewers,
        "starting_up": starting,
        "rebuffering": stalled,
        "rebuffering_percentage": round(100 * stalled / viewers, 3) if viewers else None,
        "bitrate_kbps": round(kbps / shown, 1) if shown else None,
        "failures": failures,
        "starts": starts,
    }


async def largest(reader: Reader, question: LiveQuestion) -> list[str]:
    """Return the groups with most views of the span, the largest first; none where not cut."""
    if question.group_by is None:
        return []
    params = Params()
    sql = (
        f"SELECT {text_sql(question.group_by, params)} AS group, count() AS views "
        f"FROM {VIEWS} FINAL WHERE {present_sql(reader, question.scope, question.span, params)} "
        f"GROUP BY group ORDER BY views DESC, group LIMIT {params.add('UInt32', question.limit)}"
    )
    return [row["group"] for row in await _run(reader, question, sql, params)]


Steps = dict[tuple[SeriesKey, int], Sums]


async def _steps(reader: Reader, question: LiveQuestion, names: list[str]) -> Steps:
    """Return by series and bucket how each of `_SUMS` changes up to the bucket's end."""
    params = Params()
    group = named_sql(question.group_by, names, params)
    intervals = intervals_sql(reader, question.scope, question.span, group=group, params=params)
    first_end = params.add("Int64", question.span.from_ms + BUCKET_MS)
    end = params.add("Int64", question.span.to_ms)
    width = params.add("Int64", BUCKET_MS)
    last = params.add("Int64", question.buckets)

    def sample(moment: str) -> str:
        # The first bucket whose end is not before the moment: an interval [low, high) is seen
        # from the first end at or after `low` until before the first end at or after `high`.
        # The last bucket's end is that of the span, also when it is under way.
        at = f"greatest(0, intDiv({moment} - {first_end} + {width} - 1, {width}))"
        return f"if({moment} > {end}, {last}, {at})"

    sql = (
        "SELECT named, at, sum(sign) AS present, sumIf(sign, state = 'starting') AS starting, "
        "sumIf(sign, state IN ('rebuffering', 'ad_rebuffering')) AS stalled, "
        "sumIf(sign * toInt64(kbps), state = 'playing') AS kbps_sum, "
        "sumIf(sign, state = 'playing' AND toInt64(kbps) > 0) AS shown "
        f"FROM ({intervals}) ARRAY JOIN [{sample('low')}, {sample('high')}] AS at, "
        f"[1, -1] AS sign WHERE at < {last} GROUP BY named, at"
    )
    rows = await _run(reader, question, sql, params)
    return {
        (series_of(row, question.group_by, names), int(row["at"])): tuple(
            int(row[n]) for n in _SUMS
        )
        for row in rows
    }


async def _counts(
    reader: Reader, question: LiveQuestion, names: list[str]
) -> dict[tuple[SeriesKey, int], tuple[int, int]]:
    """Return by series and bucket how many views failed and how many began."""
    params = Params()
    named = named_sql(question.group_by, names, params)
    began, failed = Conditions(), Conditions()
    add_span(params, began, question.span, "started_at")
    add_span(params, failed, question.span, "ended_at")
    failed.add("status = 'failed'")
    conditions = Conditions()
    add_days(params, conditions, question.span, reader.config)
    conditions.add(f"({began.sql()}) OR ({failed.sql()})")
    question.scope.narrow(params, conditions, reader.catalogue)
    first = params.add("Int64", question.span.from_ms)
    width = params.add("Int64", BUCKET_MS)
    bucket = f"intDiv(toUnixTimestamp64Milli(moment.1) - {first}, {width})"
    sql = (
        f"SELECT {named} AS named, {bucket} AS at, countIf(moment.2 = 1) AS failures, "
        f"countIf(moment.2 = 0) AS starts FROM {VIEWS} FINAL "
        f"ARRAY JOIN [(started_at, 0, {began.sql()}), (ended_at, 1, {failed.sql()})] AS moment "
        f"WHERE {conditions.sql()} AND moment.3 GROUP BY named, at"
    )
    rows = await _run(reader, question, sql, params)
    return {
        (series_of(row, question.group_by, names), int(row["at"])): (row["failures"], row["starts"])
        for row in rows
    }


async def _run(reader: Reader, question: LiveQuestion, sql: str, params: Params) -> list[Row]:
    statement = Statement(sql, params.values())
    keep_ms = reader.config.query.cache_open_ms if question.is_kept else 0
    return await reader.rows(statement, question.scope, keep_ms=keep_ms)


def _series(
    buckets: int, steps: Steps, counts: dict[tuple[SeriesKey, int], tuple[int, int]], key: SeriesKey
) -> Iterable[Sums]:
    """Yield the sums of one series: the steps added up, and the counts."""
    sums = _NOTHING
    for at in range(buckets):
        step = steps.get((key, at))
        if step is not None:
            sums = tuple(a + b for a, b in zip(sums, step, strict=True))
        yield (*sums, *counts.get((key, at), (0, 0)))
