"""The statements of the report: few readings of the views, each cut by many things at once.

Every row belongs to one of two periods, the span asked for or the one as long before it; rows of the
earlier one lie in the bucket they would lie in if they had happened a period later.
"""

# ruff: noqa: S608 (the text is this folder's own; whatever comes from outside is bound)

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Final

import msgspec

from playhead.query.metrics import bucket_sql, numbered_sql, where_sql
from playhead.query.reader import Reader
from playhead.query.report_measures import (
    SESSIONS,
    STALLED,
    STARTUPS,
    Distribution,
    Measure,
    of_ends,
    of_sessions,
    of_starts,
    of_viewers,
)
from playhead.query.scope import Scope
from playhead.query.source import SOURCES
from playhead.query.span import Buckets, Span
from playhead.query.statement import Params

VIDEO: Final = "video"
GROUPED: Final[dict[str, str]] = {
    VIDEO: "if(video_title != '', video_title, CAST(video_id, 'String'))",
    "country": "country",
    "device_class": "device_class",
    "os": "os",
    "browser": "browser",
    "player_name": "player_name",
    "cdn": "cdn",
}
"""What views are cut by, as SQL: dimensions, and the video by its title or, without one, its id."""
DRAWN_BY: Final = ("country", "device_class")
"""Cuts whose views are counted by bucket too."""
_QUALITY_BY: Final = tuple(name for name in GROUPED if name != VIDEO)
AT_ONCE: Final = 2
"""Statements of one report that run at once: each uses all cores, and others want to read too."""
Row = dict[str, Any]
Names = Mapping[str, Sequence[str]]
Ranges = dict[str, dict[bool, list[int]]]
"""How many lie in each range of `startup_time`, `buffering` and `session_duration`; True = now."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the statements are about."""

    span: Span
    buckets: Buckets
    scope: Scope
    limit: int

    @property
    def both(self) -> Span:
        """Return the two periods as one span."""
        return Span(self.span.from_ms - self.span.length_ms, self.span.to_ms)


class Key(msgspec.Struct, frozen=True):
    """Where a number belongs: the period, a bucket's start or none, a cut and its group or none.

    `number` n is the n-th of the cut's names, 0 is all others.
    """

    current: bool
    bucket: int | None = None
    by: str = ""
    number: int = 0


class Numbers(msgspec.Struct, kw_only=True):
    """Everything the statements gave."""

    names: Names
    found: dict[Key, dict[str, float | None]]
    ranges: Ranges
    exact: bool
    """Whether medians and p95 are; else they are within `RELATIVE_ERROR`."""


async def numbers(reader: Reader, asked: Asked) -> Numbers:
    """Ask for everything about views."""
    names, exact = await _few_at_once(_names(reader, asked), _is_few(reader, asked))
    catalogue = reader.catalogue
    starts, viewers, of_videos, ends, (sessions, long), how = await _few_at_once(
        _cut(reader, asked, _Cut(of_starts(catalogue), "started_at", names, tuple(GROUPED), DRAWN_BY)),
        _cut(reader, asked, _Cut(of_viewers(catalogue), "started_at", names)),
        _cut(reader, asked, _Cut(of_viewers(catalogue)[:1], "started_at", names, (VIDEO,), whole=False)),
        _cut(reader, asked, _Cut(of_ends(catalogue, exact=exact), "ended_at", names, _QUALITY_BY, ("cdn",))),
        _sessions(reader, asked, exact=exact),
        _distributions(reader, asked),
    )  # fmt: skip
    found: dict[Key, dict[str, float | None]] = {}
    for part in (starts, viewers, of_videos, ends, sessions):
        for key, values in part.items():
            found.setdefault(key, {}).update(values)
    return Numbers(names=names, found=found, ranges=how | long, exact=exact)


async def _is_few(reader: Reader, asked: Asked) -> bool:
    """Return whether there are few enough views for exact medians; versions of one may count twice."""
    params = Params()
    where = where_sql(reader, asked.scope, asked.both, "started_at", params)
    sql = f"SELECT count() AS n FROM {SOURCES['views'].table} WHERE {where}"
    rows = await reader.about(asked, sql, params)
    return bool(rows[0]["n"] <= reader.config.query.report_exact_views)


async def _few_at_once(*asked: Coroutine[Any, Any, Any]) -> list[Any]:
    """Return what all give; when one fails or the caller leaves, the others end too."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def run(one: Coroutine[Any, Any, Any]) -> Any:
        async with slots:
            return await one

    tasks = [asyncio.ensure_future(run(one)) for one in asked]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _names(reader: Reader, asked: Asked) -> Names:
    """Return the groups with most views of each cut, the largest first."""
    params = Params()
    where = where_sql(reader, asked.scope, asked.span, "started_at", params)
    cuts = [f"{sql} AS by_{name}" for name, sql in GROUPED.items()]
    columns = [f"by_{name}" for name in GROUPED]
    sql = (
        f"SELECT grouping({', '.join(columns)}) AS cut, {', '.join(cuts)}, count() AS n "
        f"FROM {SOURCES['views'].rows()} WHERE {where} "
        f"GROUP BY GROUPING SETS ({', '.join(f'({column})' for column in columns)}) "
        f"ORDER BY n DESC, {', '.join(columns)} LIMIT {params.add('UInt32', asked.limit)} BY cut"
    )
    rows = await reader.about(asked, sql, params)
    return {
        name: [str(row[f"by_{name}"]) for row in rows if row["cut"] == _mask(columns, (f"by_{name}",))]
        for name in GROUPED
    }  # fmt: skip


class _Cut(msgspec.Struct, frozen=True):
    """Measures of views whose `column` lies in the periods, and what they are cut by."""

    measures: Sequence[Measure]
    column: str
    names: Names
    by: Sequence[str] = ()
    series: Sequence[str] = ()
    """Cuts by bucket and group."""
    whole: bool = True
    """Whether also without groups, whole and by bucket."""

    def sets(self) -> list[tuple[str, ...]]:
        """Return the columns of each cut; cuts without any group have none."""
        cuts: list[tuple[str, ...]] = [(), ("bucket",)] if self.whole else []
        cuts += [(f"by_{name}",) for name in self.by if self.names[name]]
        return cuts + [("bucket", f"by_{name}") for name in self.series if self.names[name]]


async def _cut(reader: Reader, asked: Asked, cut: _Cut) -> dict[Key, dict[str, float | None]]:
    """Return the measures by where they belong, from one reading of the views."""
    sets = cut.sets()
    if not sets:
        return {}
    params = Params()
    where = where_sql(reader, asked.scope, asked.both, cut.column, params)
    used = [name for name in GROUPED if any(f"by_{name}" in one for one in sets)]
    columns = [
        f"{numbered_sql(GROUPED[name], cut.names[name], params)} AS by_{name}" for name in used
    ]
    columns += [text for measure in cut.measures for text in measure.columns()]
    keys = ["current", *(["bucket"] if any("bucket" in one for one in sets) else [])]
    keys += [f"by_{name}" for name in used]
    grouping_sets = ", ".join(f"({', '.join(('current', *one))})" for one in sets)
    columns = [*_period_sql(asked, f"toUnixTimestamp64Milli({cut.column})", keys, params), *columns]
    sql = (
        f"SELECT grouping({', '.join(keys)}) AS cut, {', '.join(columns)} "
        f"FROM {SOURCES['views'].rows()} WHERE {where} GROUP BY GROUPING SETS ({grouping_sets})"
    )
    by_mask = {_mask(keys, ("current", *one)): one for one in sets}
    found = {}
    for row in await reader.about(asked, sql, params):
        found[_key(row, by_mask[int(row["cut"])])] = {
            measure.id: measure.value(row) for measure in cut.measures
        }
    return found


def _key(row: Row, cut: tuple[str, ...]) -> Key:
    column = next((one for one in cut if one != "bucket"), "")
    return Key(
        current=bool(row["current"]),
        bucket=int(row["bucket"]) if "bucket" in cut else None,
        by=column.removeprefix("by_"),
        number=int(row[column]) if column else 0,
    )


async def _sessions(
    reader: Reader, asked: Asked, *, exact: bool
) -> tuple[dict[Key, dict[str, float | None]], Ranges]:
    """Return the measures of sessions, whole and by the bucket in which they began; and how long."""
    params = Params()
    measures = of_sessions(exact=exact)
    columns = [text for measure in measures for text in measure.columns()]
    sql = (
        f"SELECT grouping(current, bucket) AS cut, current, "
        f"{bucket_sql('begin', asked.buckets, params)} AS bucket, "
        f"{', '.join(columns)}, {SESSIONS.sql()} AS session_duration "
        f"FROM ({_sessions_sql(reader, asked, params)}) "
        "GROUP BY GROUPING SETS ((current), (current, bucket))"
    )
    rows = await reader.about(asked, sql, params)
    found = {}
    for row in rows:
        bucket = None if row["cut"] else int(row["bucket"])
        values = {measure.id: measure.value(row) for measure in measures}
        found[Key(current=bool(row["current"]), bucket=bucket)] = values
    whole = [row for row in rows if row["cut"]]
    return found, _ranges(whole, session_duration=SESSIONS)


def _sessions_sql(reader: Reader, asked: Asked, params: Params) -> str:
    """Return a SELECT of sessions: `current`, `begin` (moved like buckets), `ms`, `views`, `watched`.

    A view without a session id is a session of its own. The key is a hash of 64 bits: to group by
    texts would be most of the work, and of a million sessions two fall together once in 10^7 reports.
    """
    where = where_sql(reader, asked.scope, asked.both, "started_at", params)
    first = params.add("Int64", asked.span.from_ms)
    length = params.add("Int64", asked.span.length_ms)
    return (
        f"SELECT current, min(start) + if(current, 0, {length}) AS begin, "
        "max(end) - min(start) AS ms, count() AS views, sum(watch_ms) AS watched FROM ("
        f"SELECT start >= {first} AS current, toUnixTimestamp64Milli(started_at) AS start, "
        "toUnixTimestamp64Milli(ended_at) AS end, watch_ms, "
        "cityHash64(property, session_id, if(session_id = '', view_id, '')) AS session "
        f"FROM {SOURCES['views'].rows()} WHERE {where}) GROUP BY current, session"
    )


async def _distributions(reader: Reader, asked: Asked) -> Ranges:
    """Return how many views started up and stalled how long, by period."""
    params = Params()
    where = where_sql(reader, asked.scope, asked.both, "ended_at", params)
    first = params.add("Int64", asked.span.from_ms)
    sql = (
        f"SELECT toUnixTimestamp64Milli(ended_at) >= {first} AS current, "
        f"{STARTUPS.sql()} AS startup_time, {STALLED.sql()} AS buffering "
        f"FROM {SOURCES['views'].rows()} WHERE {where} GROUP BY current"
    )
    rows = await reader.about(asked, sql, params)
    return _ranges(rows, startup_time=STARTUPS, buffering=STALLED)


def _ranges(rows: list[Row], **distributions: Distribution) -> Ranges:
    found = {bool(row["current"]): row for row in rows}
    return {
        name: {
            period: one.ranges(found[period][name]) if period in found else [0] * len(one.labels)
            for period in (True, False)
        }
        for name, one in distributions.items()
    }


def _period_sql(asked: Asked, ms: str, keys: Sequence[str], params: Params) -> list[str]:
    """Return the columns `current` and, where it is a key, `bucket` of a moment (SQL, ms)."""
    first = params.add("Int64", asked.span.from_ms)
    columns = [f"{ms} >= {first} AS current"]
    if "bucket" in keys:
        length = params.add("Int64", asked.span.length_ms)
        moved = f"({ms} + if({ms} >= {first}, 0, {length}))"
        columns.append(f"{bucket_sql(moved, asked.buckets, params)} AS bucket")
    return columns


def _mask(keys: Sequence[str], used: Sequence[str]) -> int:
    """Return what `grouping(keys)` says of the set of those used: a bit a key, 1 = not used."""
    return int("".join("0" if key in used else "1" for key in keys), 2)
