"""Answers about metrics: one number, a series, a breakdown.

The field that says how many rows took part bears their name: `views`, `requests` or `records`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from playhead.query.catalogue import Dimension
from playhead.query.question import Question
from playhead.query.reader import Reader
from playhead.query.rollup import Keys, Plan, Reading, answer_rows, rolled
from playhead.query.scope import Scope, add_days, add_span
from playhead.query.source import SOURCES, add_receipt
from playhead.query.span import Buckets, Span, iso
from playhead.query.statement import Conditions, Params, Statement

OTHER = "other"
Row = dict[str, Any]
SeriesKey = tuple[str, bool]
"""A series: its name, and whether it is all the groups that have none of their own."""


async def overall(reader: Reader, question: Question) -> Row:
    """Return `{value, views}`: the number and how many rows took part."""

    def made(plan: Plan | None) -> Statement:
        params = Params()
        of = _reading(reader, question, plan, params, lambda _ms, _by: {})
        return Statement(f"SELECT {of.numbers} {of.rows}", params.values(), of.settings)

    return (await answer_rows(reader, question, made))[0]


async def breakdown(reader: Reader, question: Question) -> tuple[list[Row], bool]:
    """Return rows `{group, value, views}` in the asked order, and whether there were more.

    Groups without any view taking part are left out.
    """
    assert question.group_by is not None  # noqa: S101 (a breakdown has one: question_of)
    metric = question.metric
    direction = "DESC" if question.order.descending else "ASC"
    order = {"group": f"group {direction}"}.get(
        question.order.by, f"{question.order.by} {direction} NULLS LAST, group"
    )

    def made(plan: Plan | None) -> Statement:
        params = Params()
        limit = params.add("UInt32", question.limit + 1)
        of = _reading(reader, question, plan, params, lambda _ms, by: _group_key(by, params))
        sql = (
            f"SELECT {of.keys}{of.numbers} {of.rows} "
            f"GROUP BY group HAVING {metric.of().counted} > 0 ORDER BY {order} LIMIT {limit}"
        )
        return Statement(sql, params.values(), of.settings)

    rows = await answer_rows(reader, question, made)
    return rows[: question.limit], len(rows) > question.limit


async def timeseries(reader: Reader, question: Question) -> list[Row]:
    """Return rows `{time, value, views}`, one a bucket, empty ones too; grouped: with `group`.

    Grouped, the groups with most views have a series each, all others together one (`other` true).
    """
    assert question.buckets is not None  # noqa: S101 (a series has them: question_of)
    metric = question.metric
    buckets = question.buckets
    names: list[str] = []
    if question.group_by is not None:
        names = await largest(reader, question)

    def made(plan: Plan | None) -> Statement:
        params = Params()

        def keys(ms: str, by: Dimension | None) -> dict[str, str]:
            bucket = bucket_sql(ms, buckets, params)
            return {"bucket": bucket, "named": named_sql(by, names, params)}

        of = _reading(reader, question, plan, params, keys)
        sql = f"SELECT {of.keys}{of.numbers} {of.rows} GROUP BY bucket, named"
        return Statement(sql, params.values(), of.settings)

    rows = await answer_rows(reader, question, made)
    found = {(series_of(row, question.group_by, names), row["bucket"]): row for row in rows}
    empty = 0 if question.measurement in {"sum", "count"} else None
    return [
        {"time": iso(start), **labels_of(question.group_by, key)}
        | _numbers(found.get((key, start)), metric.of().counted, empty)
        for key in series_keys(question.group_by, names, (key for key, _ in found))
        for start in buckets.starts
    ]


def _reading(
    reader: Reader, question: Question, plan: Plan | None, params: Params, keys: Keys
) -> Reading:
    """Return what to select and from where: rollups and views where that will do, else the rows."""
    rows = rows_sql(reader, question, params)
    if plan is not None:
        return rolled(reader, question, plan, params, keys=keys, rows_sql=rows)
    found = keys(f"toUnixTimestamp64Milli({question.metric.column()})", question.group_by)
    listed = "".join(f"{sql} AS {name}, " for name, sql in found.items())
    return Reading(listed, _numbers_sql(question), rows)


def _group_key(dimension: Dimension | None, params: Params) -> dict[str, str]:
    return {} if dimension is None else {"group": text_sql(dimension, params)}


def _numbers_sql(question: Question) -> str:
    metric = question.metric
    value = metric.aggregate(question.measurement)
    return f"{value} AS value, {metric.counted(question.measurement)} AS {metric.of().counted}"


def bucket_sql(ms: str, buckets: Buckets, params: Params) -> str:
    """Return SQL that gives the start (ms) of the bucket a moment (SQL, ms) lies in."""
    if buckets.width_ms:
        first = params.add("Int64", buckets.starts[0])
        width = params.add("Int64", buckets.width_ms)
        return f"{first} + intDiv({ms} - {first}, {width}) * {width}"
    starts = params.add("Array(Int64)", list(buckets.starts))
    return f"roundDown({ms}, {starts})"


def named_sql(dimension: Dimension | None, names: list[str], params: Params) -> str:
    """Return SQL for a series as a number: n = the n-th of `names`, 0 = any other.

    Numbers, because the names themselves would be copied for every interval of every view.
    """
    if dimension is None or not names:
        return "toUInt32(0)"
    return numbered_sql(text_sql(dimension, params), names, params)


def numbered_sql(text: str, names: Sequence[str], params: Params) -> str:
    """Return SQL for a text (SQL) as a number: n = the n-th of `names`, 0 = any other."""
    known = params.add("Array(String)", list(names))
    numbers = params.add("Array(UInt32)", list(range(1, len(names) + 1)))
    return f"transform({text}, {known}, {numbers}, toUInt32(0))"


def text_sql(dimension: Dimension, params: Params) -> str:
    """Return SQL for a dimension as plain text."""
    return f"CAST({dimension.sql(params)}, 'String')"


def series_of(row: Row, dimension: Dimension | None, names: list[str]) -> SeriesKey:
    """Return the series of a row made with `named_sql`."""
    if dimension is None:
        return "", False
    number = int(row["named"])
    return (names[number - 1], False) if number else (OTHER, True)


def series_keys(
    dimension: Dimension | None, names: list[str], found: Iterable[SeriesKey]
) -> list[SeriesKey]:
    """Return the series of an answer in order: the named ones, then the others if there are any."""
    if dimension is None:
        return [("", False)]
    rest = [(OTHER, True)] if any(is_rest for _, is_rest in found) else []
    return [*((name, False) for name in names), *rest]


def labels_of(dimension: Dimension | None, key: SeriesKey) -> Row:
    """Return the fields that name a series in a row; none where there is only one."""
    return {} if dimension is None else {"group": key[0], "other": key[1]}


async def largest(reader: Reader, question: Question) -> list[str]:
    """Return the groups with the most views taking part, the largest first."""
    assert question.group_by is not None  # noqa: S101 (asked only with a group)
    counted = question.metric.of().counted

    def made(plan: Plan | None) -> Statement:
        params = Params()
        of = _reading(reader, question, plan, params, lambda _ms, by: _group_key(by, params))
        sql = (
            f"SELECT {of.keys}{of.numbers} {of.rows} "
            f"GROUP BY group HAVING {counted} > 0 ORDER BY {counted} DESC, group "
            f"LIMIT {params.add('UInt32', question.limit)}"
        )
        return Statement(sql, params.values(), of.settings)

    return [row["group"] for row in await answer_rows(reader, question, made)]


def rows_sql(reader: Reader, question: Question, params: Params) -> str:
    """Return `FROM … WHERE …`: the rows of the metric's source that the question is about.

    Always the rows themselves, and always with a condition, so more may follow as `AND …`.
    """
    metric = question.metric
    where = where_sql(reader, question.scope, question.span, metric.column(), params)
    return f"FROM {metric.of().rows()} WHERE {where}"


def where_sql(reader: Reader, scope: Scope, span: Span, column: str, params: Params) -> str:
    """Return the WHERE for rows of the scope's source whose `column` lies in the span."""
    conditions = Conditions()
    if SOURCES[scope.source].of_views:
        add_days(params, conditions, span, reader.config)
    else:
        day, source = "toDate(received_at)", scope.source
        add_receipt(params, conditions, span, reader.config, column=day, source=source)
    add_span(params, conditions, span, column)
    scope.narrow(params, conditions, reader.catalogue)
    return conditions.sql()


def _numbers(row: Row | None, counted: str, empty: int | None) -> Row:
    if row is None:
        return {"value": empty, counted: 0}
    return {"value": row["value"], counted: row[counted]}
