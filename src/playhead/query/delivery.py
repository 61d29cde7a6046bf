"""Views joined with their CDN requests: those of one view, and how views fared by what served them.

A request that names a view (CMCD `sid`) is that view's; one that names none is of the view of the
same session that was going on at its moment. Both only within one property.
"""

# ruff: noqa: S608 (the text is this folder's own; whatever comes from outside is bound)

import asyncio
from typing import Any, Final

import msgspec

from playhead.query.catalogue import Dimension
from playhead.query.cdn import REQUESTS, numbers_sql, presented
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
from playhead.query.scope import Scope, add_days, add_span, sql_time
from playhead.query.source import SOURCES, add_receipt
from playhead.query.span import Span, iso, ms_of
from playhead.query.statement import Conditions, Params, Statement

Row = dict[str, Any]
_SHOWN: Final = (
    "at", "cdn", "pop", "status", "cache", "ttfb_ms", "total_ms", "bytes_out", "rendition",
    "object_type", "bitrate_kbps",
)  # fmt: skip
_SINGLE = frozenset({"from", "to", "timezone", "group_by", "limit"})
_DEFAULT_LIMIT = 50
_MOMENT = "DateTime64(3, 'UTC')"


class DeliveryQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Views that ended in a span and the requests of that span, by a dimension of the requests."""

    span: Span
    scope: Scope
    group_by: Dimension
    limit: int


def delivery_question_of(values: Values, asking: Asking) -> DeliveryQuestion:
    """Read a question for views by what served them.

    Raises:
        InvalidRequest: A parameter is unknown or not valid; the sentence names it.
    """
    check_names(values, _SINGLE, FILTERS)
    return DeliveryQuestion(
        span=span_in(values, asking),
        scope=scope_of(values, asking, "cdn"),
        group_by=asking.catalogue.dimension(one(values, "group_by") or "pop", "cdn"),
        limit=whole(values, "limit", _DEFAULT_LIMIT, most=asking.config.query.max_groups),
    )


async def of_view(reader: Reader, scope: Scope, view: Row) -> Row:
    """Return `{requests, cdn_kpis}` of a view row: its newest requests in time order, and KPIs.

    Args:
        reader: Where to read.
        scope: What the token may see.
        view: A row of `views` as the store gives it.
    """
    most = reader.config.query.max_events_shown
    groups_most = reader.config.query.max_groups

    async def ask(columns: str, tail: str, limit: int) -> list[Row]:
        params = Params()
        where = _of_view(reader, view, params)
        sql = f"SELECT {columns} FROM {REQUESTS} WHERE {where} {tail}"
        sql += f" LIMIT {params.add('UInt32', limit)}"
        return await reader.rows(Statement(sql, params.values()), scope, keep_ms=0)

    newest = "ORDER BY at DESC, log_offset DESC, log_index DESC"
    groups = "GROUP BY cdn, pop ORDER BY n_requests DESC, cdn, pop"
    requests, kpis = await asyncio.gather(
        ask(", ".join(_SHOWN), newest, most),
        ask(f"cdn, pop, {numbers_sql()}", groups, groups_most),
    )
    return {
        "requests": [row | {"at": iso(ms_of(row["at"]))} for row in reversed(requests)],
        "cdn_kpis": [{"cdn": row["cdn"], "pop": row["pop"]} | presented(row) for row in kpis],
    }


def _of_view(reader: Reader, view: Row, params: Params) -> str:
    span = Span(ms_of(view["started_at"]), ms_of(view["ended_at"]) + 1)
    conditions = Conditions()
    add_receipt(params, conditions, span, reader.config, column="toDate(received_at)")
    conditions.add(f"property = {params.add('String', view['property'])}")
    named = f"view_id = {params.add('String', view['view_id'])}"
    if view["session_id"]:
        session = params.add("String", view["session_id"])
        begin = params.add(_MOMENT, sql_time(span.from_ms))
        end = params.add(_MOMENT, sql_time(span.to_ms))
        during = f"at >= {begin} AND at < {end}"
        named += f" OR (view_id = '' AND session_id = {session} AND {during})"
    conditions.add(named)
    return conditions.sql()


async def breakdown(reader: Reader, question: DeliveryQuestion) -> tuple[list[Row], bool]:
    """Return rows `{group, views, …, requests, …}`, most views first, and whether there were more.

    A view counts for the group that sent most of its bytes within the span. The KPIs are of every
    request of the group, of a known view or not.
    """
    views, requests = await asyncio.gather(_views(reader, question), _requests(reader, question))
    of_views = {row["named"]: row for row in views}
    rows = [
        {"group": row["named"], **_quality(of_views.get(row["named"])), **presented(row)}
        for row in requests
    ]
    rows.sort(key=lambda row: (-row["views"], -row["requests"], row["group"]))
    return rows[: question.limit], len(rows) > question.limit


def _quality(row: Row | None) -> Row:
    names = ("rebuffer_percentage", "startup_ms", "bitrate_kbps")
    return {"views": row["views"] if row else 0} | {
        name: row[name] if row else None for name in names
    }


async def _requests(reader: Reader, question: DeliveryQuestion) -> list[Row]:
    params = Params()
    sql = (
        f"SELECT {text_sql(question.group_by, params)} AS named, {numbers_sql()} "
        f"FROM {REQUESTS} WHERE {_where(reader, question, params)} GROUP BY named"
    )
    return await reader.about(question, sql, params)


async def _views(reader: Reader, question: DeliveryQuestion) -> list[Row]:
    params = Params()
    served = _served_sql(reader, question, params)
    sql = (
        "SELECT named, count() AS views, "
        "100 * sum(rebuffer) / nullIf(sum(watch), 0) AS rebuffer_percentage, "
        "quantileExactInclusiveOrNull(0.5)(startup) AS startup_ms, "
        "sum(kbps * weight) / nullIf(sumIf(weight, kbps IS NOT NULL), 0) AS bitrate_kbps "
        "FROM (SELECT argMax(group, (bytes, requests, group)) AS named, any(rebuffer_ms) AS rebuffer, "
        "any(watch_ms) AS watch, any(startup_ms) AS startup, any(bitrate_kbps) AS kbps, "
        f"any(bitrate_weight_ms) AS weight FROM ({served}) GROUP BY property, view_id) "
        "GROUP BY named"
    )
    return await reader.about(question, sql, params)


def _served_sql(reader: Reader, question: DeliveryQuestion, params: Params) -> str:
    """Return a SELECT of bytes and requests by view and group, beside the view's own numbers."""
    quality = ("rebuffer_ms", "watch_ms", "startup_ms", "bitrate_kbps", "bitrate_weight_ms")
    columns = ", ".join((
        "CAST(property, 'String') AS property", "view_id", "session_id", "started_at", "ended_at",
        *quality,
    ))  # fmt: skip
    seen = (
        f"SELECT {columns} FROM {SOURCES['views'].rows()} WHERE {_ended(reader, question, params)}"
    )
    sent = (
        "SELECT CAST(property, 'String') AS property, view_id, session_id, at, "
        f"{text_sql(question.group_by, params)} AS group, ifNull(bytes_out, 0) AS size "
        f"FROM {REQUESTS} WHERE {_where(reader, question, params)}"
    )
    joined = "v.property AS property, v.view_id AS view_id, r.group AS group, r.size AS size, "
    joined += ", ".join(f"v.{name} AS {name}" for name in quality)
    named = (
        f"SELECT {joined} FROM (SELECT * FROM ({sent}) WHERE view_id != '') AS r "
        f"INNER JOIN ({seen}) AS v ON r.property = v.property AND r.view_id = v.view_id"
    )
    during = (
        f"SELECT {joined} FROM (SELECT * FROM ({sent}) WHERE view_id = '' AND session_id != '') AS r "
        f"INNER JOIN ({seen}) AS v ON r.property = v.property AND r.session_id = v.session_id "
        "WHERE r.at >= v.started_at AND r.at <= v.ended_at"
    )
    kept = ", ".join(f"any({name}) AS {name}" for name in quality)
    return (
        f"SELECT property, view_id, group, sum(size) AS bytes, count() AS requests, {kept} "
        f"FROM ({named} UNION ALL {during}) GROUP BY property, view_id, group"
    )


def _ended(reader: Reader, question: DeliveryQuestion, params: Params) -> str:
    """Return the WHERE of views that ended in the span; hidden ones as the requests are."""
    conditions = Conditions()
    add_days(params, conditions, question.span, reader.config)
    add_span(params, conditions, question.span, "ended_at")
    asked = {item.dimension.id for item in question.scope.filters}
    if question.scope.property is not None:
        conditions.add(f"property = {params.add('String', question.scope.property)}")
    for hidden in ("bot", "internal"):
        if hidden not in asked:
            conditions.add(f"NOT {hidden}")
    return conditions.sql()


def _where(reader: Reader, question: DeliveryQuestion, params: Params) -> str:
    return where_sql(reader, question.scope, question.span, "at", params)
