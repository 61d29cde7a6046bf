"""Sums of weeks, put together once more from the sums of their days (`rollup.py`), in idle time.

Sketches and sets of ids are merged number by number, so a month by fifty values takes as long as its
states are many. A week's row stands for up to seven. It is `of` the makings of its days: while all of
them count, it holds what they hold together, and a question may read it instead of them.
"""

# ruff: noqa: S608 (days, numbers and names of the layout: nothing of it comes from outside)

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

import msgspec

from playhead.model.rollup import KEYS, WEEK_HOURS, Layout
from playhead.store.client import StoreClient

ROWS_PER_STATEMENT: Final = 5_000
"""Rows of days that one statement puts together; bounds its memory."""
MAKINGS_MIN: Final = 2
"""A week with fewer is read as fast by its days."""
WEEKS: Final = "SELECT toUInt16(first_day) AS day, made, of FROM playhead.view_rollup_week FINAL"
"""The newest making of every week, whether it counts or not."""


class _Week(msgspec.Struct, frozen=True):
    """A week by its Monday, and the makings it is of."""

    monday: str
    of: tuple[int, ...]


class _Turn(msgspec.Struct, frozen=True):
    """What one statement puts together: dimensions, or one part of the values of a single one."""

    dimensions: tuple[str, ...]
    part: int = 0
    parts: int = 1


class WeekRollups:
    """Makes sums of weeks.

    Args:
        client: The store.
        layout: Which sums.
        current: SQL of the makings of days that count (`day`, `made`); binds `layout`.
        number: Gives a new making its number.
        settings: Of the statements that take long.
    """

    def __init__(
        self,
        client: StoreClient,
        layout: Layout,
        *,
        current: str,
        number: Callable[[], int],
        settings: Mapping[str, object],
    ) -> None:
        self._client = client
        self._layout = layout
        self._digest = layout.digest()
        self._current = current
        self._number = number
        self._settings = settings

    def make(self, today: date, *, stale: Sequence[str], weeks_max: int) -> list[str]:
        """Make weeks that are over and have none, an old one or a damaged one; return their Mondays.

        Args:
            today: Weeks that ended before it are over.
            stale: Days whose sums are to be made yet: their weeks wait.
            weeks_max: Most weeks of this call, the newest first.

        Raises:
            PlayheadError: As `StoreClient.rows`; what was made until then counts.
        """
        due = self._due(today, stale, weeks_max)
        for week in due:
            self._make(week)
        return [week.monday for week in due]

    def _due(self, today: date, stale: Sequence[str], weeks_max: int) -> list[_Week]:
        whole = (
            "SELECT w.first_day, w.of FROM (SELECT * FROM playhead.view_rollup_week FINAL) AS w"
            " INNER JOIN (SELECT made, count() AS kept FROM playhead.view_rollup"
            f" WHERE hours = {WEEK_HOURS} GROUP BY made) AS k ON w.made = k.made"
            " WHERE w.row_count = k.kept"
        )
        found = self._client.rows(
            "SELECT toString(monday), of FROM (SELECT toMonday(toDate(day)) AS monday,"
            f" arraySort(groupArray(made)) AS of FROM ({self._current}) GROUP BY monday)"
            " WHERE monday + 6 < toDate({today:String}) AND length(of) >= {least:UInt8}"
            " AND NOT has(arrayMap(one -> toMonday(toDate(one)), {stale:Array(String)}), monday)"
            f" AND (monday, of) NOT IN ({whole}) ORDER BY monday DESC LIMIT {{most:UInt32}}",
            {
                "layout": self._digest,
                "today": today.isoformat(),
                "least": MAKINGS_MIN,
                "stale": list(stale),
                "most": weeks_max,
            },
        )
        return [_Week(monday, tuple(map(int, of))) for monday, of in found.rows]

    def _make(self, week: _Week) -> None:
        made = self._number()
        for turn in _turns(self._rows_by_dimension(week)):
            self._client.command(self._fill_sql(week, made, turn), settings=self._settings)
        # Let it count: the last step, one row.
        self._client.command(
            "INSERT INTO playhead.view_rollup_week (first_day, made, of, row_count)"
            f" SELECT '{week.monday}', {made}, {list(week.of)}, count() FROM playhead.view_rollup"
            f" WHERE made = {made} AND hours = {WEEK_HOURS}"
        )

    def _rows_by_dimension(self, week: _Week) -> list[tuple[str, int]]:
        """Return the dimensions that each of the makings has rows by ('': the totals), with how many."""
        found = self._client.rows(
            "SELECT dimension, count() FROM playhead.view_rollup"
            f" WHERE hours = 24 AND {_of(week)} AND (dimension = '' OR dimension IN ("
            " SELECT arrayJoin(dimensions) AS one FROM playhead.view_rollup_state FINAL"
            f" WHERE {_of(week)} GROUP BY one HAVING count() = {len(week.of)}))"
            " GROUP BY dimension ORDER BY dimension"
        )
        return [(name, int(rows)) for name, rows in found.rows]

    def _fill_sql(self, week: _Week, made: int, turn: _Turn) -> str:
        columns = {one.name: one.merged() for edge in self._layout.columns.values() for one in edge}
        keys = ", ".join(("moment", "dimension", "value", *KEYS))
        names = "".join(f", {name}" for name in columns)
        sums = "".join(f",\n{sql}" for sql in columns.values())
        listed = ", ".join(f"'{name}'" for name in turn.dimensions)
        return (
            f"INSERT INTO playhead.view_rollup (first_seen_day, made, hours, {keys}, since{names})\n"
            "SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0\n"
            # Kept as long as the sums of the last of its days.
            f"SELECT toDate('{week.monday}') + 6, {made}, {WEEK_HOURS}, {keys},"
            f" toDateTime(toMonday(since), 'UTC') AS week{sums}\n"
            f"FROM playhead.view_rollup WHERE hours = 24 AND {_of(week)} AND dimension IN ({listed})"
            f" AND cityHash64(value) % {turn.parts} = {turn.part}\nGROUP BY {keys}, week"
        )


def _of(week: _Week) -> str:
    """Return the condition for rows of a week's makings."""
    return (
        f"made IN ({', '.join(map(str, week.of))}) AND first_seen_day"
        f" BETWEEN toDate('{week.monday}') AND toDate('{week.monday}') + 6"
    )


def _turns(rows: Sequence[tuple[str, int]]) -> Iterator[_Turn]:
    """Cut dimensions, and the values of one that is too large, into turns of bounded size."""
    gathered: list[str] = []
    size = 0
    for name, count in rows:
        if gathered and size + count > ROWS_PER_STATEMENT:
            yield _Turn(tuple(gathered))
            gathered, size = [], 0
        if count > ROWS_PER_STATEMENT:
            parts = -(-count // ROWS_PER_STATEMENT)
            yield from (_Turn((name,), part, parts) for part in range(parts))
        else:
            gathered.append(name)
            size += count
    if gathered:
        yield _Turn(tuple(gathered))
