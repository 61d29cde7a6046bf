"""What the CDNs' own logs add to the report: requests, errors, cache hits and latency by CDN."""

import asyncio
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from playhead.query import cdn
from playhead.query.reader import Reader
from playhead.query.report_measures import change_of
from playhead.query.report_rows import Asked
from playhead.query.scope import Scope
from playhead.query.span import Buckets, Span

Row = dict[str, Any]
_MEASURES: Final[tuple[tuple[str, str, str, str, str], ...]] = (
    ("requests", "Requests", "requests", "number", "neutral"),
    ("error_percentage", "Request errors", "%", "number", "lower"),
    ("cache_hit_ratio", "Cache hit ratio", "%", "number", "higher"),
    ("ttfb_p95", "First byte, p95", "ms", "duration", "lower"),
)
"""Fields of `/v1/cdn/kpis`: id, name, unit, format, better."""


class Delivery(msgspec.Struct, kw_only=True):
    """KPIs of requests, of both periods (True = now): whole and by CDN."""

    whole: dict[bool, Row] = {}
    by_cdn: dict[bool, dict[str, Row]] = {}
    notes: tuple[str, ...] = ()
    limit: int = 0

    def add_to(self, kpi: Row) -> None:
        """Put the numbers beside those of the views of each CDN."""
        if not self.whole.get(True):
            return
        described = [
            dict(zip(("id", "name", "unit", "format", "better"), one, strict=True))
            for one in _MEASURES
        ]
        for one in described:
            now, before = (self.whole.get(period, {}).get(one["id"]) for period in (True, False))
            kpi["values"].append(
                one | {"value": now, "previous": before, "change": change_of(now, before)}
            )
        breakdown = kpi["breakdowns"][0]
        of_views = [one["id"] for one in breakdown["measures"]]
        breakdown["measures"] += described
        rows = [row for row in breakdown["rows"] if not row["other"]]
        known = {row["group"] for row in rows}
        fresh = [name for name in self.by_cdn[True] if name not in known]
        blank = {"other": False, "share": None} | dict.fromkeys(of_views)
        fresh_rows = [
            {"group": name} | blank | {"views": 0, "change": {}}
            for name in fresh[: max(0, self.limit - len(rows))]
        ]
        rest = [row for row in breakdown["rows"] if row["other"]]
        breakdown["rows"] = [*rows, *fresh_rows, *rest]
        for row in breakdown["rows"]:
            self._fill(row)

    def _fill(self, row: Row) -> None:
        now, before = (
            {} if row["other"] else self.by_cdn.get(period, {}).get(row["group"], {})
            for period in (True, False)
        )
        for name, *_ in _MEASURES:
            row[name] = now.get(name)
            row["change"] = row["change"] | {name: change_of(now.get(name), before.get(name))}


async def delivery(reader: Reader, asked: Asked) -> Delivery:
    """Ask for the KPIs of requests; empty, with a note, where the filters are not for requests."""
    scope = _scope_of(asked.scope)
    if scope is None:
        note = "CDN logs are left out: a filter is on something that requests do not have."
        return Delivery(notes=(note,))
    span = asked.span
    earlier = Span(span.from_ms - span.length_ms, span.from_ms)
    whole, whole_before, by_cdn, by_cdn_before = await asyncio.gather(
        _kpis(reader, scope, span, by=False),
        _kpis(reader, scope, earlier, by=False),
        _kpis(reader, scope, span, by=True),
        _kpis(reader, scope, earlier, by=True),
    )
    return Delivery(
        whole={True: next(iter(whole), {}), False: next(iter(whole_before), {})},
        by_cdn={
            True: {row["cdn"]: row for row in by_cdn},
            False: {row["cdn"]: row for row in by_cdn_before},
        },
        limit=asked.limit,
    )


def _scope_of(scope: Scope) -> Scope | None:
    """Return the same scope for requests, None where they do not have what it asks for."""
    if scope.numbers or any("cdn" not in one.dimension.sources for one in scope.filters):
        return None
    return Scope(filters=scope.filters, property=scope.property, source="cdn")


async def _kpis(
    reader: Reader, scope: Scope, given: Span, *, by: bool
) -> list[Row]:  # fmt: skip
    span = given.whole_minutes()
    groups = (reader.catalogue.dimension("cdn", "cdn"),) if by else ()
    question = cdn.KpiQuestion(
        span=span,
        zone=ZoneInfo("UTC"),
        buckets=Buckets((span.from_ms,), span.to_ms, span.length_ms, cdn.WHOLE),
        scope=scope,
        group_by=groups,
        limit=reader.config.query.max_groups,
    )
    rows, _ = await cdn.kpis(reader, question)
    return rows
