"""A metric beside itself: over two periods, or for several values of a dimension.

Each row holds the value and what it is compared with: the other period, or the first of the values.
`p_value` is of a two-sided two-proportion z-test (pooled) and stands only where that test is honest:
the metric is a share of rows, the two sets of rows are not the same ones, and each set would hold at
least five rows of either kind were there no difference. It takes rows for independent of each other,
which views of one viewer are not quite.
"""

import asyncio
import math
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from playhead.errors import InvalidRequest
from playhead.query import concurrent, metrics
from playhead.query.catalogue import Metric
from playhead.query.filter import Filter
from playhead.query.question import (
    FILTERS,
    Asking,
    Form,
    Question,
    Values,
    check_names,
    one,
    whole,
)
from playhead.query.question import question_of as metric_question_of
from playhead.query.reader import Reader
from playhead.query.span import Span, buckets_of, iso, span_of

Row = dict[str, Any]
NUMBERS: Final = ("value", "compared_value", "change", "change_percentage", "p_value")
"""Fields of a row that are numbers or None, beside those that count rows."""
PERIODS: Final = ("previous_period", "previous_day", "previous_week", "previous_year")
_ASKED: Final = frozenset({"from", "to", "timezone", "measurement", "group_by"})
_SINGLE: Final = _ASKED | {
    "metric", "interval", "limit", "compare", "compare_from", "compare_to", "values",
}  # fmt: skip
_MANY: Final = FILTERS | {"values[]"}
_DEFAULT_GROUPS: Final = 10
_FEWEST_EXPECTED: Final = 5
"""Below so many rows of a kind the normal approximation of the test does not hold."""


class CompareQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Two periods (`compared`), or several values of the dimension the question is grouped by."""

    asked: Question
    compared: Question | None = None
    values: tuple[str, ...] = ()

    @property
    def tested(self) -> bool:
        """Return whether the test may be made: shares of rows that are not the same rows."""
        metric = self.asked.metric
        share = (
            metric.kind == "ratio"
            and self.asked.measurement == "percentage"
            and metric.denominator == "1"
            and metric.scale == 100
        )
        return share and (
            self.compared is None or not _overlap(self.asked.span, self.compared.span)
        )


def compare_question_of(values: Values, asking: Asking) -> CompareQuestion:
    """Read a comparison.

    Raises:
        NotFound: There is no metric of that id.
        InvalidRequest: A parameter is unknown or not valid; the sentence names it.
    """
    check_names(values, _SINGLE, _MANY)
    name = one(values, "metric")
    if name is None:
        hint = "Add metric=startup_time; GET /v1/metrics lists them."
        raise InvalidRequest("A comparison needs 'metric'.", hint=hint)
    metric = asking.catalogue.metric(name)
    wanted = _values_of(values, asking.config.query.max_series)
    grouped, series = one(values, "group_by") is not None, one(values, "interval") is not None
    if wanted and not grouped:
        raise InvalidRequest("'values' are of a dimension.", hint="Add group_by=cdn.")
    if grouped and series and not wanted:
        hint = "Leave one of them out, or name the groups: values=a,b."
        raise InvalidRequest("Two periods have either 'interval' or 'group_by'.", hint=hint)
    asked = _question_of(metric, values, asking)
    if wanted:
        given = [n for n in ("compare", "compare_from", "compare_to") if one(values, n)]
        if given:
            raise InvalidRequest(f"'{given[0]}' and 'values' cannot both be given.")
        return CompareQuestion(asked=_only(asked, wanted), values=wanted)
    return CompareQuestion(asked=asked, compared=_compared(asked, values, asking))


def _question_of(metric: Metric, values: Values, asking: Asking) -> Question:
    interval = one(values, "interval")
    form: Form = "overall" if one(values, "group_by") is None else "breakdown"
    form = form if interval is None else "timeseries"
    taken = _ASKED | FILTERS | ({"interval"} if interval else set())
    question = metric_question_of(
        metric, form, {name: value for name, value in values.items() if name in taken}, asking
    )
    most = asking.config.query.max_series
    limit = whole(values, "limit", _DEFAULT_GROUPS, most=most)
    return msgspec.structs.replace(question, limit=limit)


def _values_of(values: Values, most: int) -> tuple[str, ...]:
    """Read the values: `values=a,b`, or each in a `values[]` of its own, where it may hold commas."""
    joined = one(values, "values")
    wanted = (*(joined.split(",") if joined else ()), *values.get("values[]", ()))
    if not wanted:
        if "values" in values:
            raise InvalidRequest("'values' is empty.", hint="Write values=a,b.")
        return ()
    if len(wanted) < 2 or len(set(wanted)) < len(wanted):
        raise InvalidRequest("'values' needs two different values or more.", hint="values=a,b")
    if len(wanted) > most:
        raise InvalidRequest(f"More than {most} values; the limit is query.max_series.")
    return wanted


def _only(question: Question, values: tuple[str, ...]) -> Question:
    """Return the question about these groups alone."""
    assert question.group_by is not None  # noqa: S101 (values are of a dimension: compare_question_of)
    mine = Filter(question.group_by, values)
    scope = msgspec.structs.replace(question.scope, filters=(*question.scope.filters, mine))
    return msgspec.structs.replace(question, scope=scope, limit=len(values))


def _compared(asked: Question, values: Values, asking: Asking) -> Question:
    """Return the same question about the other period."""
    start, end, named = (one(values, name) for name in ("compare_from", "compare_to", "compare"))
    if named is not None and (start or end):
        raise InvalidRequest("'compare' and 'compare_from' cannot both be given.")
    if start and end:
        span = span_of(start, end, asking.now_ms, zone=asked.zone)
    elif start or end:
        raise InvalidRequest("'compare_from' and 'compare_to' go together.")
    else:
        span = _earlier(asked.span, named or PERIODS[0], asked.zone)
    buckets = asked.buckets
    if buckets is not None:
        limit = asking.config.query.max_buckets
        buckets = buckets_of(span, buckets.interval, asked.zone, limit=limit)
    return msgspec.structs.replace(asked, span=span, buckets=buckets)


def _earlier(span: Span, named: str, zone: ZoneInfo) -> Span:
    """Return the period before; days, weeks and years keep the time of day in the zone."""
    if named not in PERIODS:
        hint = f"Use one of {', '.join(PERIODS)}, or compare_from and compare_to."
        raise InvalidRequest("The period to compare with is not known.", hint=hint)
    if named == "previous_period":
        from_ms, to_ms = span.from_ms - span.length_ms, span.from_ms
    else:
        from_ms, to_ms = (_back(ms, named, zone) for ms in (span.from_ms, span.to_ms))
    if not 0 <= from_ms < to_ms:
        raise InvalidRequest("The period to compare with is empty, or before 1970.")
    return Span(from_ms, to_ms)


def _back(ms: int, named: str, zone: ZoneInfo) -> int:
    moment = datetime.fromtimestamp(ms / 1000, zone)
    if named == "previous_year":
        leap = (moment.month, moment.day) == (2, 29)
        earlier = moment.replace(year=moment.year - 1, day=28 if leap else moment.day)
    else:
        earlier = moment - timedelta(days=1 if named == "previous_day" else 7)
    return round(earlier.timestamp() * 1000)


async def compare(reader: Reader, question: CompareQuestion) -> list[Row]:
    """Return rows `{group?, time?, compared_time?, value, views, compared_value, …}`.

    `change` is value less compared value, `change_percentage` that as a share of the compared value;
    `p_value` as the head of this file says. The row of the first value, with which the others are
    compared, has None there.
    """
    if question.values:
        return await _values(reader, question)
    assert question.compared is not None  # noqa: S101 (without values there are two periods)
    if question.asked.form == "breakdown":
        return await _groups(reader, question, question.compared)
    source: Any = _source(question.asked.metric)
    ask = source.overall if question.asked.form == "overall" else source.timeseries
    now, then = await asyncio.gather(ask(reader, question.asked), ask(reader, question.compared))
    if question.asked.form == "overall":
        return [_row(question, {}, now, then)]
    missing = _missing(question)
    rows = []
    for at in range(max(len(now), len(then))):
        one_ = now[at] if at < len(now) else missing
        other = then[at] if at < len(then) else missing
        times = {"time": one_["time"], "compared_time": other["time"]}
        rows.append(_row(question, times, one_, other))
    return rows


async def _values(reader: Reader, question: CompareQuestion) -> list[Row]:
    source: Any = _source(question.asked.metric)
    if question.asked.form == "breakdown":
        found, _ = await source.breakdown(reader, question.asked)
    else:
        found = await source.timeseries(reader, question.asked)
    by_key = {(row.get("time"), row["group"]): row for row in found}
    missing, first = _missing(question), question.values[0]
    buckets = question.asked.buckets
    times = [iso(start) for start in buckets.starts] if buckets else [None]
    rows = []
    for group in question.values:
        for time in times:
            labels = {"group": group} if time is None else {"group": group, "time": time}
            base = None if group == first else by_key.get((time, first), missing)
            rows.append(_row(question, labels, by_key.get((time, group), missing), base))
    return rows


async def _groups(reader: Reader, question: CompareQuestion, compared: Question) -> list[Row]:
    """Return a row for each of the groups that have most rows in the period, most rows first."""
    source: Any = _source(question.asked.metric)
    counted = question.asked.metric.of().counted
    by_count = msgspec.structs.replace(
        question.asked, order=msgspec.structs.replace(question.asked.order, by=counted)
    )
    found, _ = await source.breakdown(reader, by_count)
    names = tuple(row["group"] for row in found)
    if not names:
        return []
    then, _ = await source.breakdown(reader, _only(compared, names))
    by_group = {row["group"]: row for row in then}
    missing = _missing(question)
    return [
        _row(question, {"group": row["group"]}, row, by_group.get(row["group"], missing))
        for row in found
    ]


def _row(question: CompareQuestion, labels: Row, now: Row, then: Row | None) -> Row:
    counted = question.asked.metric.of().counted
    value, base = now["value"], None if then is None else then["value"]
    change = None if value is None or base is None else value - base
    row = labels | {
        "value": value,
        counted: now[counted],
        "compared_value": base,
        f"compared_{counted}": None if then is None else then[counted],
        "change": change,
        "change_percentage": 100 * change / abs(base) if change is not None and base else None,
        "p_value": None,
    }
    if question.tested and then is not None:
        row["p_value"] = p_value((value, now[counted]), (base, then[counted]))
    return row


def _missing(question: CompareQuestion) -> Row:
    empty = 0 if question.asked.measurement in {"sum", "count"} else None
    return {"time": None, "value": empty, question.asked.metric.of().counted: 0}


def p_value(one_: tuple[float | None, int], other: tuple[float | None, int]) -> float | None:
    """Return how likely so large a difference of two shares would be were there none.

    Two-sided two-proportion z-test with the pooled share.

    Args:
        one_: A share in percent and the number of rows it is of.
        other: The other.

    Returns:
        0 to 1, None where the rows are too few for the test.
    """
    (share, rows), (base, others) = one_, other
    if share is None or base is None or not rows or not others:
        return None
    p, q = share / 100, base / 100
    pooled = (p * rows + q * others) / (rows + others)
    if min(rows, others) * min(pooled, 1 - pooled) < _FEWEST_EXPECTED:
        return None
    z = (p - q) / math.sqrt(pooled * (1 - pooled) * (1 / rows + 1 / others))
    return math.erfc(abs(z) / math.sqrt(2))


def _source(metric: Metric) -> Any:
    return concurrent if metric.kind == "concurrent" else metrics


def _overlap(one_: Span, other: Span) -> bool:
    return one_.from_ms < other.to_ms and other.from_ms < one_.to_ms
