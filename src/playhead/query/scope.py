"""The scope of a question: which views it is about, as conditions of a WHERE.

Days of the partition: `first_seen_day` is the receipt day of a view's first event. Its start cannot
lie further before that than `collect.max_event_age_ms` (older events are dropped at the door), so
partitions up to that many days after the span may hold views of it. It cannot begin before the
view is first seen, except by clock corrections of seconds: one day of margin. Its end can come
later: a view lives as long as events come, and `process.max_events_per_view` of them, at a
heartbeat of ten seconds, last `max_events_per_view / 8,640` days.
"""

import math
from typing import Any

import msgspec

from playhead.access.condition import is_text
from playhead.config import Config
from playhead.query.catalogue import Catalogue
from playhead.query.filter import Filter, NumberFilter
from playhead.query.source import BOUND_TABLES, SourceName
from playhead.query.span import DAY_MS, Span, iso
from playhead.query.statement import Conditions, Params

_HEARTBEATS_PER_DAY = DAY_MS // 10_000


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows a question is about: the filters, and the property its token is bound to."""

    filters: tuple[Filter, ...] = ()
    numbers: tuple[NumberFilter, ...] = ()
    """Only the rows themselves know these: sums made of many rows do not."""
    property: str | None = None
    source: SourceName = "views"

    def narrow(self, params: Params, conditions: Conditions, catalogue: Catalogue) -> None:
        """Add the conditions of this scope to a statement."""
        if self.property is not None:
            conditions.add(f"property = {params.add('String', self.property)}")
        asked: tuple[Filter | NumberFilter, ...] = (*self.filters, *self.numbers)
        for item in asked:
            conditions.add(item.sql(params))
        named = {item.dimension.id for item in self.filters}
        for dimension in catalogue.dimensions_of(self.source).values():
            if dimension.hidden and dimension.id not in named:
                conditions.add(f"NOT {dimension.id}")

    def row_filters(self) -> dict[str, str] | None:
        """Return the engine's own row filter by table, or None where the token sees everything."""
        if self.property is None:
            return None
        return dict.fromkeys(BOUND_TABLES, is_text("property", self.property))


def add_span(params: Params, conditions: Conditions, span: Span, column: str) -> None:
    """Add `column` within the span; `column` is a column of ours."""
    start = params.add("DateTime64(3, 'UTC')", sql_time(span.from_ms))
    end = params.add("DateTime64(3, 'UTC')", sql_time(span.to_ms))
    conditions.add(f"{column} >= {start} AND {column} < {end}")


def add_days(params: Params, conditions: Conditions, span: Span, config: Config) -> None:
    """Add the days of the partitions that may hold views touching the span."""
    seen = days_of(span, config)
    first, last = (params.add("Date", iso(day * DAY_MS)[:10]) for day in seen)
    conditions.add(f"first_seen_day BETWEEN {first} AND {last}")


def days_of(span: Span, config: Config) -> tuple[int, int]:
    """Return the first and last such day, counted from 1970."""
    before_days = math.ceil(config.process.max_events_per_view / _HEARTBEATS_PER_DAY) + 1
    after_days = math.ceil(config.collect.max_event_age_ms / DAY_MS) + 1
    return max(0, span.from_ms // DAY_MS - before_days), span.to_ms // DAY_MS + after_days


def sql_time(ms: int) -> str:
    """Return UTC milliseconds as the engine reads a DateTime64(3)."""
    return iso(ms).replace("T", " ").removesuffix("Z")


def flat(value: Any) -> Any:
    """Return a number the JSON of an answer may hold: not-a-number and infinities become None."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
