"""Rollups of views: sums of closed days, made in idle time, so that a year reads as fast as a day.

Views are amended late, so a day's rollup counts only while the day's views are as they were when it
was made: the state row keeps the first and last block of the day's parts and their last mutation.
An insert raises the last block; a merge changes none of the three. They are read *before* the views,
so an insert meanwhile makes the new rollup stale, never wrong.

Every making has a number of its own (`made`), and rows count only if the state names it. A making
that was cut off is therefore never read; its rows are removed later, as are those of older makings: when
they are a good part of the month, not before `SWEEP_AFTER_S` after they were made, for a making may be under
way, and not before nothing was replaced for `SWEEP_REST_S`, for a question may be about to read them.

The sums of days are put together to those of weeks and of four weeks (`long_rollup.py`).
"""

# ruff: noqa: S608 (days, numbers and the SQL of the catalogue: nothing of it comes from outside)

import secrets
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

import msgspec

from playhead.model.rollup import KEYS, MOMENTS, Edge, Layout, RolledDimension
from playhead.store.client import StoreClient
from playhead.store.long_rollup import LONGS, LongRollups

SWEEP_AFTER_S: Final = 3_600
SWEEP_REST_S: Final = 60
"""Longer than a question takes from its look at the makings to its answer."""
SWEEP_PERCENT: Final = 20
"""So many rows of a month must be of no use before the month is written anew without them."""
MADE_STEP: Final = 4_096
VALUES_PER_STATEMENT: Final = 5_000
"""Values of dimensions summed by one statement; bounds its memory."""
STATEMENT_S: Final = 600
"""Longest time of one statement."""
_PARTS: Final = (
    "SELECT toDate(partition) AS day, min(min_block_number) AS first_block,"
    " max(max_block_number) AS last_block,"
    " max(toInt64OrZero(splitByChar('_', name)[5])) AS last_mutation"
    " FROM system.parts WHERE database = 'playhead' AND table = 'views' AND active GROUP BY day"
)
CURRENT: Final = (
    "SELECT toUInt16(first_seen_day) AS day, made, row_count FROM playhead.view_rollup_state FINAL"
    " WHERE layout = {layout:String} AND (first_seen_day, first_block, last_block, last_mutation)"
    f" IN ({_PARTS})"
)
"""The makings of the days whose rollup is as their views are now; binds `layout`."""
PARTS: Final = (
    "SELECT table, toUInt16(toDateOrZero(partition)) AS day, min(min_block_number) AS first_block,"
    " max(max_block_number) AS last_block,"
    " max(toInt64OrZero(splitByChar('_', name)[5])) AS last_mutation,"
    " groupBitXor(cityHash64(name)) AS parts FROM system.parts WHERE database = 'playhead'"
    " AND table IN ('views', 'view_rollup_state', 'view_rollup_long') AND active"
    " GROUP BY table, day"
)
"""What the days of views and the states of rollups are as now: a third of what `CURRENT` takes."""
STATES: Final = (
    "SELECT toUInt16(first_seen_day) AS day, made, first_block, last_block, last_mutation,"
    " 0 AS days, false AS regular, CAST([], 'Array(UInt64)') AS of"
    " FROM playhead.view_rollup_state FINAL WHERE layout = {layout:String}"
    f" UNION ALL SELECT day, made, 0, 0, 0, days, regular, of FROM ({LONGS})"
)
"""The newest making of each day and, with those of days that it is `of`, long sum; binds `layout`."""
_NAMED: Final = (
    "made IN (SELECT made FROM playhead.view_rollup_state FINAL"
    " UNION ALL SELECT made FROM playhead.view_rollup_long FINAL)"
)
HELD: Final = (
    "SELECT toUInt16(first_seen_day) AS day, made, dimensions,"
    " arraySort(arrayMap(hour -> toUnixTimestamp(hour), start_hours)) AS starts,"
    " arraySort(arrayMap(hour -> toUnixTimestamp(hour), end_hours)) AS ends"
    " FROM playhead.view_rollup_state FINAL WHERE has({made:Array(UInt64)}, made)"
)
"""What makings hold; binds `made`."""


class _Day(msgspec.Struct, frozen=True):
    """A day of views as its parts are."""

    day: str
    first_block: int
    last_block: int
    last_mutation: int


class Rollups:
    """Makes rollups of views.

    Args:
        client: The store.
        layout: Which sums.
        values_max: A dimension with more values on a day is left out of that day.
        settled: Days that changed since the last call wait for the next one.
        threads: Of one statement: one beside other work.
    """

    def __init__(
        self,
        client: StoreClient,
        layout: Layout,
        *,
        values_max: int,
        settled: bool = True,
        threads: int = 1,
    ) -> None:
        self._client = client
        self._layout = layout
        self._digest = layout.digest()
        self._values_max = values_max
        self._settled = settled
        self._settings = {"max_execution_time": STATEMENT_S, "max_threads": threads}
        self._longs = LongRollups(
            client, layout, current=CURRENT, number=self._number, settings=self._settings
        )
        self._seen: set[_Day] = set()
        self._made = 0
        self._ready = False

    def make(self, today: date, *, days_max: int) -> list[str]:
        """Make the rollups of closed days that have none or an old one; return what was made.

        Sums of several days, named as `2026-11-02/P7D`, are put together of them, as many as days at most.

        Args:
            today: Days before it are closed.
            days_max: Most days of this call, the newest first.

        Raises:
            PlayheadError: As `StoreClient.rows`; what was made until then counts.
        """
        if not self._ready:
            self._prepare()
        self._sweep()
        stale = self._stale(today)
        known, self._seen = self._seen, set(stale)
        ready = [day for day in stale if not self._settled or day in known]
        for day in ready[:days_max]:
            self._make(day)
        made = [day.day for day in ready[:days_max]]
        # Looked for once more: what came while days were made makes long sums wait.
        waiting = [day.day for day in self._stale(today)]
        return made + self._longs.make(today, stale=waiting, longs_max=days_max)

    def _prepare(self) -> None:
        """Give the table the columns of the layout; of another layout's sums nothing is kept."""
        wanted = self._layout.all_columns()
        found = self._client.rows(
            "SELECT name FROM system.columns WHERE database = 'playhead'"
            " AND table = 'view_rollup' AND match(name, '^[nsuq]_')"
        )
        present = {row[0] for row in found.rows}
        gone = sorted(present - set(wanted))
        missing = [name for name in wanted if name not in present]
        if gone:
            self._client.command("TRUNCATE TABLE playhead.view_rollup_long")
            self._client.command("TRUNCATE TABLE playhead.view_rollup_state")
            self._client.command("TRUNCATE TABLE playhead.view_rollup")
        changes = [f"DROP COLUMN IF EXISTS {name}" for name in gone]
        changes += [f"ADD COLUMN IF NOT EXISTS {name} {wanted[name]}" for name in missing]
        if changes:
            self._client.command(f"ALTER TABLE playhead.view_rollup {', '.join(changes)}")
        self._ready = True

    def _sweep(self) -> None:
        """Remove makings that do not count from months where they are many, once nobody uses them."""
        rest_s = self._client.rows(
            "SELECT toInt64(toUnixTimestamp(now())) - toUnixTimestamp(max(made_at)) FROM ("
            "SELECT made_at FROM playhead.view_rollup_state"
            " UNION ALL SELECT made_at FROM playhead.view_rollup_long)"
        ).rows[0][0]
        if rest_s < SWEEP_REST_S:
            return
        old = "intDiv(made, {step:UInt32}) < toUnixTimestamp(now()) - {after:Int32}"
        found = self._client.rows(
            "SELECT toYYYYMM(first_seen_day) AS month, count() AS every,"
            f" countIf(NOT ({_NAMED}) AND {old}) AS gone FROM playhead.view_rollup"
            " GROUP BY month HAVING gone * 100 > every * {percent:UInt32} ORDER BY month LIMIT 1",
            {"step": MADE_STEP, "after": SWEEP_AFTER_S, "percent": SWEEP_PERCENT},
        )
        for month, _, _ in found.rows:
            self._client.command(
                f"ALTER TABLE playhead.view_rollup DELETE IN PARTITION '{month}' WHERE NOT ({_NAMED})"
                f" AND intDiv(made, {MADE_STEP}) < toUnixTimestamp(now()) - {SWEEP_AFTER_S}",
                settings={"mutations_sync": 1},
            )

    def _stale(self, today: date) -> list[_Day]:
        """Return the closed days without a rollup that is as their views are, or with a damaged one."""
        whole = (
            f"SELECT toDate(s.day) FROM ({CURRENT}) AS s INNER JOIN"
            " (SELECT made, count() AS kept FROM playhead.view_rollup GROUP BY made) AS k"
            " ON s.made = k.made WHERE s.row_count = k.kept"
        )
        found = self._client.rows(
            f"SELECT toString(day), first_block, last_block, last_mutation FROM ({_PARTS})"
            f" WHERE day < toDate({{today:String}}) AND day NOT IN ({whole}) ORDER BY day DESC",
            {"today": today.isoformat(), "layout": self._digest},
        )
        return [_Day(*row) for row in found.rows]

    def _number(self) -> int:
        """Return the number of a new making: the store's time in seconds, and chance.

        Never one of before: two days of one number would be read as one.
        """
        now_s = int(self._client.rows("SELECT toUnixTimestamp(now())").rows[0][0])
        self._made = max(self._made + 1, now_s * MADE_STEP + secrets.randbelow(MADE_STEP))
        return self._made

    def _make(self, day: _Day) -> None:
        made = self._number()
        dimensions = self._narrow(day)
        for group in _groups(dimensions):
            for edge in self._layout.columns:
                self._client.command(
                    self._fill_sql(day.day, made, edge, group), settings=self._settings
                )
        for edge in self._layout.columns:
            for hours in (1, 24):
                self._client.command(
                    self._totals_sql(day.day, made, edge, hours), settings=self._settings
                )
        self._name(day, made, [one.id for one, _ in dimensions])

    def _narrow(self, day: _Day) -> list[tuple[RolledDimension, int]]:
        """Return the dimensions with few enough values that day, with how many they have."""
        every = self._layout.dimensions
        counts = ", ".join(f"uniq({one.sql})" for one in every)
        found = self._client.rows(
            f"SELECT {counts} FROM playhead.views WHERE first_seen_day = '{day.day}'"
        ).rows[0]
        return [
            (one, int(count))
            for one, count in zip(every, found, strict=True)
            if int(count) <= self._values_max
        ]

    def _fill_sql(self, day: str, made: int, edge: Edge, group: Sequence[RolledDimension]) -> str:
        """Return the statement that sums a day by each dimension of a group, read once."""
        names = [f"d{number}" for number in range(len(group))]
        inner = ", ".join(f"{one.sql} AS {name}" for one, name in zip(group, names, strict=True))
        keys = ", ".join((*KEYS, "since"))
        sets = ", ".join(f"({keys}, {name})" for name in names)
        which = " ".join(
            f"WHEN grouping({name}) = 0 THEN '{one.id}'"
            for one, name in zip(group, names, strict=True)
        )
        # Where a dimension is not in the set it is '': together they are the one that is.
        value = f"concat({', '.join((*names, chr(39) * 2))})"
        return self._insert_sql(
            (day, made, edge, 24), f"CASE {which} END", value, f"GROUPING SETS ({sets})", inner
        )

    def _totals_sql(self, day: str, made: int, edge: Edge, hours: int) -> str:
        by = ", ".join((*KEYS, "since"))
        return self._insert_sql((day, made, edge, hours), "''", "''", by, "")

    def _insert_sql(
        self, of: tuple[str, int, Edge, int], dimension: str, value: str, by: str, inner: str
    ) -> str:
        day, made, edge, hours = of
        columns = self._layout.columns[edge]
        names = "".join(f", {one.name}" for one in columns)
        sums = "".join(f",\n{one.made} AS {one.name}" for one in columns)
        start = "toStartOfHour" if hours == 1 else "toStartOfDay"
        since = f"{start}(toDateTime({MOMENTS[edge]}, 'UTC')) AS since"
        extra = f", {inner}" if inner else ""
        return (
            "INSERT INTO playhead.view_rollup"
            f" (first_seen_day, made, moment, hours, dimension, value, {', '.join(KEYS)}, since"
            f"{names})\nSETTINGS do_not_merge_across_partitions_select_final = 1,"
            " compile_expressions = 0, compile_aggregate_expressions = 0,"
            " force_grouping_standard_compatibility = 1\n"
            f"SELECT '{day}', {made}, '{edge}', {hours}, {dimension}, {value},"
            f" {', '.join(KEYS)}, since{sums}\n"
            f"FROM (SELECT *, {since}{extra} FROM playhead.views FINAL"
            f" WHERE first_seen_day = '{day}')\nGROUP BY {by}"
        )

    def _name(self, day: _Day, made: int, dimensions: list[str]) -> None:
        """Let the making count: the last step, one row."""
        listed = ", ".join(f"'{name}'" for name in dimensions)
        hours = ", ".join(
            f"groupUniqArrayIf(since, hours = 1 AND moment = '{edge}')" for edge in ("start", "end")
        )
        self._client.command(
            "INSERT INTO playhead.view_rollup_state (first_seen_day, made, layout, first_block,"
            " last_block, last_mutation, dimensions, start_hours, end_hours, row_count)"
            f" SELECT '{day.day}', {made}, '{self._digest}', {day.first_block}, {day.last_block},"
            f" {day.last_mutation}, [{listed}], {hours}, count() FROM playhead.view_rollup"
            f" WHERE first_seen_day = '{day.day}' AND made = {made}"
        )


def _groups(
    dimensions: Sequence[tuple[RolledDimension, int]],
) -> Iterator[list[RolledDimension]]:
    """Cut the dimensions into groups of at most `VALUES_PER_STATEMENT` values (or one dimension)."""
    group: list[RolledDimension] = []
    values = 0
    for one, count in dimensions:
        if group and values + count > VALUES_PER_STATEMENT:
            yield group
            group, values = [], 0
        group.append(one)
        values += count
    if group:
        yield group
