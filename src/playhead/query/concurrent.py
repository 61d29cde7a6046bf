"""Concurrent viewers as a metric over any span: the largest number, or the mean over time.

`max` looks at evenly spaced moments (five seconds apart up to a day, a minute up to a month, five
minutes beyond), as monitoring tools do; `avg` is the exact integral over time.
"""

# ruff: noqa: S608 (the text is this folder's own; whatever comes from outside is bound)

from collections.abc import Callable

import msgspec

from playhead.query.crowd import VIEWS, intervals_sql, present_sql
from playhead.query.metrics import (
    Row,
    SeriesKey,
    bucket_sql,
    labels_of,
    named_sql,
    series_keys,
    series_of,
    text_sql,
)
from playhead.query.question import Question
from playhead.query.reader import Reader
from playhead.query.span import DAY_MS, MINUTE_MS, Buckets, Span, iso
from playhead.query.statement import Params


class _Part(msgspec.Struct, frozen=True):
    """What happens to one series within one bucket.

    `change`: by how much the number changes; `weight`: the same times the moments of the changes
    (for avg); `peak` and `first`: the largest number after a change, and the moment of the first
    change, 0 = none (for max).
    """

    change: int
    weight: int = 0
    peak: int = 0
    first: int = 0


Parts = dict[tuple[SeriesKey, int], _Part]


def step_of(span: Span) -> int:
    """Return the distance, ms, of the moments that `max` looks at."""
    if span.length_ms <= DAY_MS:
        return 5_000
    return MINUTE_MS if span.length_ms <= 31 * DAY_MS else 5 * MINUTE_MS


async def overall(reader: Reader, question: Question) -> Row:
    """Return `{value, views}`: the number over the whole span, and the views present in it."""
    rows = await _answer(reader, question, _whole(question))
    return {"value": rows[0]["value"], "views": rows[0]["views"]}


async def breakdown(reader: Reader, question: Question) -> tuple[list[Row], bool]:
    """Return rows `{group, value, views}` of the groups with most views, in the asked order."""
    rows = await _answer(reader, question, _whole(question))
    more = any(row["other"] for row in rows)
    kept = [
        {"group": row["group"], "value": row["value"], "views": row["views"]}
        for row in rows
        if not row["other"]
    ]
    by = question.order.by
    kept.sort(key=lambda row: (row[by] or 0, row["group"]) if by != "group" else (row["group"],))
    return (kept[::-1] if question.order.descending else kept), more


async def timeseries(reader: Reader, question: Question) -> list[Row]:
    """Return rows `{time, value, views}`, grouped also `group` and `other`."""
    assert question.buckets is not None  # noqa: S101 (a series has them: question_of)
    return await _answer(reader, question, question.buckets)


def _whole(question: Question) -> Buckets:
    span = question.span
    return Buckets((span.from_ms,), span.to_ms, span.length_ms, "overall")


async def _answer(reader: Reader, question: Question, buckets: Buckets) -> list[Row]:
    span = Span(
        question.span.from_ms,
        max(question.span.from_ms + 1, min(question.span.to_ms, reader.now_ms())),
    )
    names, views = await _groups(reader, question, span)
    parts, value = await _measure(reader, question, span, names=names, buckets=buckets)
    found = [key for key, _ in parts]
    rows: list[Row] = []
    for key in series_keys(question.group_by, names, found):
        labels = labels_of(question.group_by, key)
        count = 0
        for index, start in enumerate(buckets.starts):
            begin, end = buckets.edges(index)
            edges = max(begin, span.from_ms), min(end, span.to_ms)
            part = parts.get((key, start), _Part(0))
            number = value(count, part, edges) if edges[0] < edges[1] else None
            count += part.change
            present = views.get(key, 0)
            rows.append({"time": iso(start), **labels, "value": number, "views": present})
    return rows


Value = Callable[[int, _Part, tuple[int, int]], float]


async def _measure(
    reader: Reader, question: Question, span: Span, *, names: list[str], buckets: Buckets
) -> tuple[Parts, Value]:
    params = Params()
    group = named_sql(question.group_by, names, params)
    intervals = intervals_sql(reader, question.scope, span, group=group, params=params)
    if question.measurement == "avg":
        sql = _mean_sql(intervals, span, buckets, params)
        rows = await reader.about(question, sql, params)
        return {
            (series_of(row, question.group_by, names), int(row["bucket"])): _Part(
                row["change"], weight=row["weight"]
            )
            for row in rows
        }, _mean
    step = step_of(span)
    sql = _peak_sql(intervals, span, buckets, params)
    rows = await reader.about(question, sql, params)
    parts = {
        (series_of(row, question.group_by, names), int(row["bucket"])): _Part(
            row["change"], peak=row["peak"], first=row["first"]
        )
        for row in rows
    }

    def peak(count: int, part: _Part, edges: tuple[int, int]) -> float:
        # What was there before holds until the first change, if a looked-at moment comes before it.
        first_moment = -(-edges[0] // step) * step
        if part.first == 0:
            return float(count)
        return float(max(part.peak, count) if first_moment < part.first else part.peak)

    return parts, peak


def _mean(count: int, part: _Part, edges: tuple[int, int]) -> float:
    begin, end = edges
    area = count * (end - begin) + part.change * end - part.weight
    return round(area / (end - begin), 3)


def _mean_sql(intervals: str, span: Span, buckets: Buckets, params: Params) -> str:
    start, end = params.add("Int64", span.from_ms), params.add("Int64", span.to_ms)
    return (
        f"SELECT named, {bucket_sql('moment', buckets, params)} AS bucket, "
        f"sum(sign) AS change, sum(sign * moment) AS weight "
        f"FROM ({intervals}) ARRAY JOIN [greatest(low, {start}), high] AS moment, "
        f"[1, -1] AS sign WHERE moment < {end} GROUP BY named, bucket"
    )


def _peak_sql(intervals: str, span: Span, buckets: Buckets, params: Params) -> str:
    start, end = params.add("Int64", span.from_ms), params.add("Int64", span.to_ms)
    step = params.add("Int64", step_of(span))

    def sample(moment: str) -> str:
        return f"intDiv(greatest({moment}, {start}) + {step} - 1, {step}) * {step}"

    steps = (
        "SELECT named, moment, sum(sign) AS change "
        f"FROM (SELECT * FROM ({intervals}) WHERE {sample('low')} < {sample('high')}) "
        f"ARRAY JOIN [{sample('low')}, {sample('high')}] AS moment, [1, -1] AS sign "
        f"WHERE moment < {end} GROUP BY named, moment"
    )
    running = (
        "SELECT named, moment, change, "
        f"sum(change) OVER (PARTITION BY named ORDER BY moment) AS number FROM ({steps})"
    )
    return (
        f"SELECT named, {bucket_sql('moment', buckets, params)} AS bucket, "
        f"sum(change) AS change, max(number) AS peak, min(moment) AS first "
        f"FROM ({running}) GROUP BY named, bucket"
    )


async def _groups(
    reader: Reader, question: Question, span: Span
) -> tuple[list[str], dict[SeriesKey, int]]:
    """Return the largest groups, and by series how many views were present in the span."""
    params = Params()
    text = "''" if question.group_by is None else text_sql(question.group_by, params)
    limit = params.add("UInt32", question.limit)
    sql = (
        f"SELECT {text} AS group, count() AS views FROM {VIEWS} FINAL "
        f"WHERE {present_sql(reader, question.scope, span, params)} "
        f"GROUP BY group ORDER BY views DESC, group LIMIT {limit}"
    )
    rows = await reader.about(question, sql, params)
    if question.group_by is None:
        return [], {("", False): rows[0]["views"] if rows else 0}
    return [row["group"] for row in rows], {(row["group"], False): row["views"] for row in rows}
