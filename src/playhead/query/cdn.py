"""KPIs of CDN requests by time and group, from the sums by minute or from the requests themselves.

The sums (`cdn_minutes`) know property, CDN, owner and pop, and which requests were robots' or
internal. What asks for no more than that is read there, everything else from `cdn_requests`; both
give the same numbers, for spans are whole minutes and the quantiles are the same sketches.
"""

# ruff: noqa: S608 (the text is this folder's own; whatever comes from outside is bound)

from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from playhead.errors import InvalidRequest
from playhead.query.catalogue import Dimension
from playhead.query.metrics import bucket_sql, text_sql, where_sql
from playhead.query.question import (
    FILTERS,
    Asking,
    Values,
    check_names,
    one,
    scope_of,
    span_in,
    whole,
    zone_in,
)
from playhead.query.reader import Reader
from playhead.query.scope import Scope
from playhead.query.source import MINUTES, SOURCES, add_receipt
from playhead.query.span import Buckets, Span, buckets_of, iso
from playhead.query.statement import Conditions, Params

REQUESTS: Final = SOURCES["cdn"].table
GROUPS: Final = ("owner", "pop", "cdn", "host", "country", "property")
"""What KPIs may be grouped by."""
WHOLE: Final = "all"
"""The interval that is the whole span."""
_DEFAULT_GROUPS: Final = ("owner", "pop", "cdn")
_SUMMED: Final = frozenset({"property", "cdn", "owner", "pop", "bot", "internal"})
_SINGLE = frozenset({"from", "to", "timezone", "interval", "group_by", "limit"})
_DEFAULT_FROM = "-1h"
_DEFAULT_LIMIT = 10_000
Row = dict[str, Any]

FROM_REQUESTS: Final[dict[str, str]] = {
    "requests": "count()",
    "errors": "countIf(status >= 400)",
    "errors_compat": "countIf(status > 299)",
    "timed": "countIf(ifNull(ttfb_ms, total_ms) IS NOT NULL)",
    "slow": "countIf(ifNull(ttfb_ms, total_ms) > 200)",
    "cached": "countIf(cache != '')",
    "hits": "countIf(cache IN ('hit', 'stale', 'refresh'))",
    "bytes": "sum(ifNull(bytes_out, 0))",
    "ttfb": "quantilesDD(0.01, 0.5, 0.95, 0.99)(ttfb_ms)",
    "total": "quantilesDD(0.01, 0.5, 0.95, 0.99)(total_ms)",
}
"""As the migration that makes `cdn_minutes` has them."""
FROM_SUMS: Final[dict[str, str]] = {
    name: f"quantilesDDMerge(0.01, 0.5, 0.95, 0.99)({name})"
    if name in {"ttfb", "total"}
    else f"sum({name})"
    for name in FROM_REQUESTS
}


class KpiQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Which KPIs: a span of whole minutes, cut into buckets and groups."""

    span: Span
    zone: ZoneInfo
    buckets: Buckets
    scope: Scope
    group_by: tuple[Dimension, ...]
    limit: int

    @property
    def summed(self) -> bool:
        """Return whether the sums by minute know all that is asked."""
        asked = (*self.group_by, *(one.dimension for one in self.scope.filters))
        known = all(dimension.id in _SUMMED for dimension in asked)
        return known and not self.scope.numbers


def kpi_question_of(values: Values, asking: Asking) -> KpiQuestion:
    """Read a question for KPIs; its span is widened to whole minutes.

    Raises:
        InvalidRequest: A parameter is unknown or not valid; the sentence names it.
    """
    check_names(values, _SINGLE, FILTERS)
    query = asking.config.query
    zone = zone_in(values)
    span = span_in(values, asking, _DEFAULT_FROM).whole_minutes()
    interval = one(values, "interval") or "1m"
    if interval == WHOLE:
        buckets = Buckets((span.from_ms,), span.to_ms, span.length_ms, WHOLE)
    else:
        buckets = buckets_of(span, interval, zone, limit=query.max_buckets)
    return KpiQuestion(
        span=span,
        zone=zone,
        buckets=buckets,
        scope=scope_of(values, asking, "cdn"),
        group_by=_groups_of(one(values, "group_by"), asking),
        limit=whole(values, "limit", _DEFAULT_LIMIT, most=max(1, query.max_result_rows - 1)),
    )


def _groups_of(text: str | None, asking: Asking) -> tuple[Dimension, ...]:
    """Read groups: names joined by commas, or `none`."""
    names = _DEFAULT_GROUPS if text is None else tuple(dict.fromkeys(text.split(",")))
    if names == ("none",):
        return ()
    if not set(names) <= set(GROUPS):
        hint = f"Use any of {', '.join(GROUPS)}, joined by commas, or none."
        raise InvalidRequest("KPIs cannot be grouped so.", hint=hint)
    return tuple(asking.catalogue.dimension(name, "cdn") for name in names)


async def kpis(reader: Reader, question: KpiQuestion) -> tuple[list[Row], bool]:
    """Return rows `{time, <groups>, <KPIs>}` in order of time, then requests; and whether more.

    There is a row where there is a request; empty minutes have none.
    """
    params = Params()
    source = FROM_SUMS if question.summed else FROM_REQUESTS
    moment = (
        "toInt64(toUnixTimestamp(minute)) * 1000"
        if question.summed
        else "toUnixTimestamp64Milli(at)"
    )
    groups = [f"{text_sql(one, params)} AS g_{one.id}" for one in question.group_by]
    names = ["bucket", *(f"g_{one.id}" for one in question.group_by)]
    sql = (
        f"SELECT {', '.join([f'{bucket_sql(moment, question.buckets, params)} AS bucket', *groups])}, "
        f"{numbers_sql(source)} "
        f"FROM {MINUTES if question.summed else REQUESTS} "
        f"WHERE {_where(reader, question, params)} GROUP BY {', '.join(names)} "
        f"ORDER BY bucket, n_requests DESC, {', '.join(names)} "
        f"LIMIT {params.add('UInt32', question.limit + 1)}"
    )
    rows = await reader.about(question, sql, params)
    return [
        {"time": iso(int(row["bucket"]))}
        | {one.id: row[f"g_{one.id}"] for one in question.group_by}
        | presented(row)
        for row in rows[: question.limit]
    ], len(rows) > question.limit


def numbers_sql(source: dict[str, str] | None = None) -> str:
    """Return the SQL of the numbers KPIs are made from, of requests unless said."""
    return ", ".join(f"{sql} AS n_{name}" for name, sql in (source or FROM_REQUESTS).items())


def presented(row: Row) -> Row:
    """Return the KPIs of a row made with `numbers_sql`; NULL where there is nothing to divide by."""
    ttfb, total = row["n_ttfb"], row["n_total"]
    requests = row["n_requests"]
    return {
        "requests": requests,
        "errors": row["n_errors"],
        "errors_compat": row["n_errors_compat"],
        "error_percentage": _share(row["n_errors"], requests),
        "slow": row["n_slow"],
        "slow_percentage": _share(row["n_slow"], row["n_timed"]),
        "hits": row["n_hits"],
        "cache_hit_ratio": _share(row["n_hits"], row["n_cached"]),
        "bytes": row["n_bytes"],
        "ttfb_p50": _milliseconds(ttfb[0]),
        "ttfb_p95": _milliseconds(ttfb[1]),
        "ttfb_p99": _milliseconds(ttfb[2]),
        "total_p95": _milliseconds(total[1]),
    }


def _share(part: float, whole_: float) -> float | None:
    return 100 * part / whole_ if whole_ else None


def _milliseconds(value: float | None) -> float | None:
    """Return a quantile to the microsecond; a sketch without values gives none."""
    return None if value is None or value != value else round(value, 3)  # noqa: PLR0124 (NaN)


def _where(reader: Reader, question: KpiQuestion, params: Params) -> str:
    if not question.summed:
        return where_sql(reader, question.scope, question.span, "at", params)
    conditions = Conditions()
    add_receipt(params, conditions, question.span, reader.config, column="received_day")
    begin, end = question.span.from_ms // 1000, question.span.to_ms // 1000
    first, last = params.add("Int64", begin), params.add("Int64", end)
    conditions.add(f"minute >= toDateTime({first}, 'UTC') AND minute < toDateTime({last}, 'UTC')")
    question.scope.narrow(params, conditions, reader.catalogue)
    return conditions.sql()
