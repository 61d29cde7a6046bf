"""What the worker does for the store in idle time: merging closed days, and keeping tables within sizes."""

# ruff: noqa: S608 (names and days of our own tables: nothing of it comes from outside)

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

import msgspec

from playhead.errors import PlayheadError
from playhead.observe import logger
from playhead.store.client import StoreClient

DAYS_PER_ROUND: Final = 400
"""Most days of one table that go in one round; the rest goes in the next."""
VIEWS: Final = "playhead.views"
_LOG = logger("store")


class TableSize(msgspec.Struct, frozen=True):
    """What a table takes on disk."""

    table: str
    rows: int
    bytes: int
    parts: int


class SizeLimit(msgspec.Struct, frozen=True, kw_only=True):
    """How large a table may be, and which of its days stay in any case."""

    table: str
    """With its database."""
    bytes_max: int
    """0 = no limit."""
    stays_from: date
    """This day and later ones stay."""
    day: str = ""
    """SQL of a row's day where the table is not cut by days."""


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """What went of a table; of one that is not cut by days `bytes` is an estimate."""

    table: str
    days: tuple[str, ...]
    rows: int
    bytes: int


class _Day(msgspec.Struct, frozen=True):
    day: str
    rows: int
    bytes: int


def optimize_closed_days(client: StoreClient, today: date, *, partitions_max: int = 2) -> list[str]:
    """Merge days of `views` before yesterday that have several parts to one; return those days.

    Queries read a day of one part without removing replaced rows first. A few days a call, oldest
    first, so that one call stays short.
    """
    found = client.rows(
        "SELECT partition FROM system.parts"
        " WHERE database = 'playhead' AND table = 'views' AND active"
        " GROUP BY partition"
        " HAVING count() > 1 AND toDate(partition) < toDate({today:String}) - 1"
        " ORDER BY partition LIMIT {most:UInt32}",
        {"today": today.isoformat(), "most": partitions_max},
    )
    days: list[str] = []
    for (partition,) in found.rows:
        day = date.fromisoformat(partition).isoformat()
        client.command(f"OPTIMIZE TABLE playhead.views PARTITION '{day}' FINAL")
        days.append(day)
    return days


def disk_usage(client: StoreClient) -> list[TableSize]:
    """Return what each table of Playhead takes on disk, largest first."""
    found = client.rows(
        "SELECT table, sum(rows), sum(bytes_on_disk), count() FROM system.parts"
        " WHERE database = 'playhead' AND active GROUP BY table ORDER BY 3 DESC"
    )
    return [TableSize(*row) for row in found.rows]


def keep_sizes(
    client: StoreClient, limits: Sequence[SizeLimit], *, is_merging: bool = True
) -> Iterator[Removed]:
    """Remove the oldest days of tables that are larger than they may be; yield what went, as it goes.

    A table whose days all have to stay is larger than its limit afterwards, and that is logged.

    Args:
        client: The store.
        limits: How large tables may be.
        is_merging: Whether the engine merges. Where it does not, it deletes no rows either: tables that
            are not cut by days wait, and nothing waits for the engine.

    Raises:
        PlayheadError: As `StoreClient.rows`; what was yielded is gone.
    """
    for limit in limits:
        if limit.day and not is_merging:
            continue
        days = _days_of(client, limit) if limit.bytes_max else []
        total = sum(one.bytes for one in days)
        going: list[_Day] = []
        for one in days[:DAYS_PER_ROUND]:
            if total <= limit.bytes_max or date.fromisoformat(one.day) >= limit.stays_from:
                break
            going.append(one)
            total -= one.bytes
        gone: list[_Day] = []
        try:
            for one in _removing(client, limit, going, is_merging=is_merging):
                gone.append(one)  # noqa: PERF402 (kept when the next is refused)
        except PlayheadError:
            if gone:
                yield _told(limit, gone)
            raise
        if gone:
            yield _told(limit, gone)
        if limit.bytes_max and total > limit.bytes_max:
            _LOG.warning(
                "table_over_limit", table=limit.table, bytes=total, limit_bytes=limit.bytes_max,
                stays_from=limit.stays_from.isoformat(),
            )  # fmt: skip


def drop_expired(client: StoreClient, days: Mapping[str, int], today: date) -> list[str]:
    """Drop days of our tables in which every row has expired; return them as `events 2026-01-02`.

    The engine does that by itself, when it merges. Below the free-space floor it must not merge.

    Args:
        client: The store.
        days: By table how many days rows are kept; 0 = for ever.
        today: The day by the machine's clock.

    Raises:
        PlayheadError: As `StoreClient.rows`.
    """
    found = client.rows(
        "SELECT DISTINCT table, toString(toDate(partition)) FROM system.parts"
        " WHERE database = 'playhead' AND active AND has({tables:Array(String)}, table) ORDER BY 2",
        {"tables": [table for table, count in days.items() if count]},
    )
    gone: list[str] = []
    for table, day in found.rows:
        if date.fromisoformat(day) < today - timedelta(days=days[table]):
            client.command(f"ALTER TABLE playhead.{table} DROP PARTITION '{day}'")
            _LOG.info("days_removed", reason="age", table=f"playhead.{table}", days=(day,))
            gone.append(f"{table} {day}")
    return gone


def _days_of(client: StoreClient, limit: SizeLimit) -> list[_Day]:
    """Return the days of a table, oldest first."""
    database, _, table = limit.table.partition(".")
    names = {"database": database, "table": table}
    parts = (
        "FROM system.parts WHERE database = {database:String} AND table = {table:String} AND active"
    )
    if not limit.day:
        found = client.rows(
            f"SELECT toString(toDate(partition)), sum(rows), sum(bytes_on_disk) {parts}"
            " GROUP BY 1 ORDER BY 1",
            names,
        )
        return [_Day(str(day), int(rows), int(size)) for day, rows, size in found.rows]
    [(rows, size)] = client.rows(f"SELECT sum(rows), sum(bytes_on_disk) {parts}", names).rows
    if int(size) <= limit.bytes_max:
        return []
    found = client.rows(
        f"SELECT toString(toDate({limit.day})), count() FROM {limit.table} GROUP BY 1 ORDER BY 1"
    )
    per_row = int(size) / max(1, int(rows))
    return [_Day(str(day), int(count), int(int(count) * per_row)) for day, count in found.rows]


def _removing(
    client: StoreClient, limit: SizeLimit, days: Sequence[_Day], *, is_merging: bool
) -> Iterator[_Day]:
    """Remove days; yield each that is gone."""
    if not days:
        return
    waits = {"mutations_sync": 1 if is_merging else 0}
    if limit.day:
        client.command(
            f"ALTER TABLE {limit.table} DELETE"
            f" WHERE toDate({limit.day}) <= toDate('{days[-1].day}')",
            settings=waits,
        )
        yield from days
        return
    if limit.table == VIEWS:
        # Sums of days that are gone do not count any more; without a name they are swept. First, for
        # the sums of a day that stays after all are made again.
        listed = ", ".join(f"'{one.day}'" for one in days)
        client.command(
            f"ALTER TABLE playhead.view_rollup_state DELETE WHERE first_seen_day IN ({listed})",
            settings=waits,
        )
    for one in days:
        client.command(f"ALTER TABLE {limit.table} DROP PARTITION '{one.day}'")
        yield one


def _told(limit: SizeLimit, gone: Sequence[_Day]) -> Removed:
    removed = Removed(
        table=limit.table,
        days=tuple(one.day for one in gone),
        rows=sum(one.rows for one in gone),
        bytes=sum(one.bytes for one in gone),
    )
    _LOG.info("days_removed", reason="size", limit_bytes=limit.bytes_max,
              **msgspec.to_builtins(removed))  # fmt: skip
    return removed
