"""How a metric's values are spread: rows counted by bucket of value, and what lies at which rank.

A row is counted by its own value: the number of a `value` metric, the ratio or mean of that row alone
where the metric is a ratio or a weighted mean. A bucket takes the values from its lower edge on and
below its upper edge.
"""

import asyncio
import math
from itertools import pairwise
from typing import Any, Final, Literal

import msgspec

from playhead.errors import InvalidRequest
from playhead.query.catalogue import FINER, RELATIVE_ERROR, Metric
from playhead.query.filter import number_of, row_value
from playhead.query.metrics import (
    SeriesKey,
    labels_of,
    largest,
    named_sql,
    rows_sql,
    series_keys,
    series_of,
)
from playhead.query.question import FILTERS, Asking, Form, Question, Values, check_names, one, whole
from playhead.query.question import question_of as metric_question_of
from playhead.query.reader import Reader
from playhead.query.statement import Params

Row = dict[str, Any]
Scale = Literal["linear", "log"]
_MINUTE_MS: Final = 60_000.0
STEPS: Final[dict[str, tuple[float, ...]]] = {
    "startup": (0, 500, 1_000, 2_000, 3_000, 5_000, 8_000, 12_000, 20_000),
    "latency": (0, 10, 25, 50, 100, 200, 400, 800, 1_600, 3_200, 6_400),
    "watch": (0, 10_000, 30_000, *(n * _MINUTE_MS for n in (1, 2, 5, 10, 20, 30, 60, 120))),
    "bitrate": (0, 250, 500, 1_000, 2_000, 3_000, 4_500, 6_000, 8_000, 12_000, 20_000),
    "percent": (0, 0.1, 0.5, 1, 2, 5, 10, 20, 50, 100),
    "score": (0, 10, 20, 30, 40, 50, 60, 70, 80, 90),
    "count": (0, 1, 2, 3, 5, 8, 13, 20, 50, 100),
    "rate": (0, 5, 10, 15, 20, 24, 25, 30, 50, 60, 120),
    "bytes": (0, 1e3, 1e4, 1e5, 5e5, 1e6, 2e6, 5e6, 1e7, 5e7, 1e8, 1e9),
}
"""Edges that read well, in the metric's unit; from the last one on there is no end."""
_OF_METRIC: Final = {
    "watch_time": "watch", "playing_time": "watch", "cdn_ttfb": "latency",
    "cdn_total_time": "latency",
}  # fmt: skip
_OF_UNIT: Final = {
    "ms": "startup", "kbit/s": "bitrate", "%": "percent", "score": "score", "frames/s": "rate",
    "bytes": "bytes",
}  # fmt: skip
PERCENTILES: Final = ("p5", "p25", "p50", "p75", "p90", "p95", "p99")
_LEVELS: Final = "0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99"
_SINGLE: Final = frozenset(
    {"from", "to", "timezone", "group_by", "limit", "steps", "buckets", "scale", "edges"}
)
_DEFAULT_GROUPS: Final = 5


class HistogramQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Whose values, and into which buckets: given edges, or a number of equally wide ones."""

    asked: Question
    """The metric, span, scope and groups."""
    value: str
    """SQL of a row's value, NULL where it takes no part."""
    edges: tuple[float, ...] = ()
    count: int = 0
    scale: Scale = "linear"
    steps: str | None = None


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """A histogram: its rows, one a bucket, and a summary of each group."""

    rows: list[Row]
    summaries: list[Row]


def histogram_question_of(metric: Metric, values: Values, asking: Asking) -> HistogramQuestion:
    """Read a question for a histogram.

    Raises:
        InvalidRequest: A parameter is unknown or not valid, or the metric has no value of one row.
    """
    check_names(values, _SINGLE, FILTERS)
    value = row_value(metric)
    if value is None:
        raise InvalidRequest(
            f"'{metric.id}' has no histogram: it counts rows, and no row has a value of it."
        )
    ways = [name for name in ("steps", "buckets", "edges") if one(values, name) is not None]
    if len(ways) > 1:
        raise InvalidRequest(f"'{ways[0]}' and '{ways[1]}' cannot both be given.")
    if one(values, "scale") is not None and ways != ["buckets"]:
        raise InvalidRequest("'scale' belongs to 'buckets'.", hint="Add buckets=20.")
    limits = asking.config.query
    limit = whole(values, "limit", _DEFAULT_GROUPS, most=limits.max_series)
    form: Form = "breakdown" if one(values, "group_by") is not None else "overall"
    plain = {
        n: v for n, v in values.items() if n in FILTERS | {"from", "to", "timezone", "group_by"}
    }
    asked = metric_question_of(metric, form, plain, asking)
    question = HistogramQuestion(asked=msgspec.structs.replace(asked, limit=limit), value=value)
    most = limits.max_histogram_buckets
    if ways == ["buckets"]:
        count = whole(values, "buckets", 0, most=most)
        return msgspec.structs.replace(question, count=count, scale=_scale_of(one(values, "scale")))
    if ways == ["edges"]:
        return msgspec.structs.replace(question, edges=_edges_of(one(values, "edges"), most))
    steps = one(values, "steps") or _OF_METRIC.get(metric.id) or _OF_UNIT.get(metric.unit, "count")
    if steps not in STEPS:
        raise InvalidRequest("These steps are not known.", hint=f"Use one of {', '.join(STEPS)}.")
    return msgspec.structs.replace(question, edges=STEPS[steps], steps=steps)


def _scale_of(text: str | None) -> Scale:
    if text in {None, "linear"}:
        return "linear"
    if text != "log":
        raise InvalidRequest("The scale is not known.", hint="Use linear or log.")
    return "log"


def _edges_of(text: str | None, most: int) -> tuple[float, ...]:
    parts = (text or "").split(",")
    if len(parts) >= most:
        hint = "The limit is query.max_histogram_buckets."
        raise InvalidRequest(f"That makes more than {most} buckets.", hint=hint)
    edges = tuple(number_of(part) for part in parts)
    if any(low >= high for low, high in pairwise(edges)):
        raise InvalidRequest("The edges must rise.", hint="Write edges=500,1000,2000.")
    return edges


async def histogram(reader: Reader, question: HistogramQuestion) -> Spread:
    """Return the histogram: a row a bucket (and group), and a summary of each group.

    Fields of a row: `from` and `to` (None: no end), the number of rows under the name of the source
    (`views`, `requests`, `records`), `percentage` (of the group's rows); grouped also `group` and
    `other`. Of a summary: that number, `min`, `max`, `avg` and percentiles, None without rows.
    """
    asked = question.asked
    names = [] if asked.group_by is None else await largest(reader, asked)
    edges = question.edges or await _even_edges(reader, question)
    found, ranks = await asyncio.gather(
        _counts(reader, question, names, edges), _ranks(reader, question, names)
    )
    spread = Spread(rows=[], summaries=[])
    for key in series_keys(asked.group_by, names, [key for key, _ in found]):
        labels = labels_of(asked.group_by, key)
        own = {bucket: row for (of, bucket), row in found.items() if of == key}
        spread.rows.extend(labels | row for row in _rows(question, edges, own))
        summary = _summary(list(own.values()), ranks.get(key), asked.metric.of().counted)
        spread.summaries.append(labels | summary)
    return spread


Counts = dict[tuple[SeriesKey, float], Row]


async def _counts(
    reader: Reader, question: HistogramQuestion, names: list[str], edges: tuple[float, ...]
) -> Counts:
    """Return counts by series and lower edge; below the first edge it is minus infinity."""
    params = Params()
    first = params.add("Float64", edges[0])
    known = params.add("Array(Float64)", list(edges))
    sql = (
        f"SELECT {named_sql(question.asked.group_by, names, params)} AS named, "
        f"{_value(question)} < {first} AS below, roundDown({_value(question)}, {known}) AS low, "
        f"count() AS n, min({_value(question)}) AS least, max({_value(question)}) AS most, "
        f"sum({_value(question)}) AS total {_from(reader, question, params)} "
        "GROUP BY named, below, low"
    )
    rows = await reader.about(question.asked, sql, params)
    return {
        (
            series_of(row, question.asked.group_by, names),
            -math.inf if row["below"] else float(row["low"]),
        ): row
        for row in rows
    }


async def _ranks(
    reader: Reader, question: HistogramQuestion, names: list[str]
) -> dict[SeriesKey, list[float]]:
    params = Params()
    exact = question.asked.metric.source == "views"
    ranks = f"quantilesExactInclusive({_LEVELS})({_value(question)})"
    if not exact:
        sketched = f"quantilesDD({RELATIVE_ERROR}, {_LEVELS})({FINER} * {_value(question)})"
        ranks = f"arrayMap(rank -> rank / {FINER}, {sketched})"
    sql = (
        f"SELECT {named_sql(question.asked.group_by, names, params)} AS named, "
        f"{ranks} AS ranks "
        f"{_from(reader, question, params)} GROUP BY named"
    )
    rows = await reader.about(question.asked, sql, params)
    return {series_of(row, question.asked.group_by, names): row["ranks"] for row in rows}


async def _even_edges(reader: Reader, question: HistogramQuestion) -> tuple[float, ...]:
    """Return edges from the smallest to the largest value; on a log scale, of the positive ones."""
    params = Params()
    value = _value(question)
    sql = (
        f"SELECT minOrNull({value}) AS least, maxOrNull({value}) AS most, "
        f"minIfOrNull({value}, {value} > 0) AS positive {_from(reader, question, params)}"
    )
    (row,) = await reader.about(question.asked, sql, params)
    least, most, log = row["least"], row["most"], question.scale == "log"
    if log:
        least = row["positive"]
    if least is None or most is None:
        return (0.0,)
    if least == most:
        return (float(least),)
    share = (number / question.count for number in range(question.count))
    if log:
        edges = (least * (most / least) ** part for part in share)
    else:
        edges = (least + (most - least) * part for part in share)
    # Values that lie too close for so many buckets leave fewer of them.
    return tuple(sorted({float(least), *(edge for edge in edges if least < edge < most)}))


def _rows(
    question: HistogramQuestion, edges: tuple[float, ...], own: dict[float, Row]
) -> list[Row]:
    counted = question.asked.metric.of().counted
    whole_ = sum(row["n"] for row in own.values())
    lows = (-math.inf, *edges)
    rows: list[Row] = []
    for low, high in zip(lows, (*edges, math.inf), strict=True):
        count = own[low]["n"] if low in own else 0
        if low == -math.inf and not count and (question.steps or question.count):
            continue  # nobody asked for that edge
        rows.append(
            {
                "from": low if math.isfinite(low) else None,
                "to": high if math.isfinite(high) else None,
                counted: count,
                "percentage": 100 * count / whole_ if whole_ else None,
            }
        )
    return rows


def _summary(own: list[Row], ranks: list[float] | None, counted: str) -> Row:
    count = sum(row["n"] for row in own)
    return {
        counted: count,
        "min": min((row["least"] for row in own), default=None),
        "max": max((row["most"] for row in own), default=None),
        "avg": sum(row["total"] for row in own) / count if count else None,
    } | (dict(zip(PERCENTILES, ranks, strict=True)) if ranks else dict.fromkeys(PERCENTILES))


def _value(question: HistogramQuestion) -> str:
    return f"assumeNotNull(toFloat64({question.value}))"


def _from(reader: Reader, question: HistogramQuestion, params: Params) -> str:
    return f"{rows_sql(reader, question.asked, params)} AND ({question.value}) IS NOT NULL"
