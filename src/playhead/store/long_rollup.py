"""Sums of weeks and of four weeks, put together from the sums of their days (`rollup.py`), in idle time.

Sketches and sets of ids are merged number by number, so a month by fifty values takes as long as its
states are many. A row of a long sum stands for those of up to 28 days. It is `of` the makings of these
days: while all of them count, it holds what they hold together, and a question may read it instead.

Weeks begin on Monday, and four weeks are four of these, so that long spans are read by few rows. A
month is asked for up to now, wherever the weeks begin: four weeks that end with yesterday are summed up
too, every day again, and of those only the newest are kept.
"""

# ruff: noqa: S608 (days, numbers and names of the layout: nothing of it comes from outside)

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import Final

import msgspec

from playhead.errors import QueryFailed
from playhead.model.rollup import FIRST_MONDAY, FOUR_WEEKS, KEYS, LONG_HOURS, Layout
from playhead.store.client import StoreClient

ROWS_PER_STATEMENT: Final = 5_000
"""Rows of days that one statement puts together; bounds its memory."""
MAKINGS_MIN: Final = 2
"""Days with fewer between them are read as fast by themselves."""
NEWEST_KEPT: Final = 3
"""Of the sums of four weeks that end anywhere, so many are kept: where the days of the newest change,
those before may still count."""
_EPOCH: Final = date(1970, 1, 1)


class Long(msgspec.Struct, frozen=True):
    """Days that one sum stands for, counted since 1970, and the makings it is of."""

    slot: int
    """Of one slot and length the newest sum replaces those before."""
    first: int
    days: int
    of: tuple[int, ...] = ()

    @property
    def end(self) -> int:
        """The first day after it."""
        return self.first + self.days

    @property
    def span(self) -> frozenset[int]:
        """Its days."""
        return frozenset(range(self.first, self.end))

    @property
    def is_regular(self) -> bool:
        """Return whether it is a week or four of those that follow one another."""
        return self.slot == self.first

    @property
    def name(self) -> str:
        """The span as ISO 8601 writes it: `2026-11-02/P7D`."""
        return f"{_iso(self.first)}/P{self.days}D"


class _Turn(msgspec.Struct, frozen=True):
    """What one statement puts together: dimensions, or one part of the values of a single one."""

    dimensions: tuple[str, ...]
    part: int = 0
    parts: int = 1


class LongRollups:
    """Makes sums of weeks and of four weeks.

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

    def make(self, today: date, *, stale: Collection[str], longs_max: int) -> list[str]:
        """Make sums that are over and not there, old or damaged; return what they are of.

        Args:
            today: What ended before it is over.
            stale: Days whose sums are to be made yet: what they belong to waits.
            longs_max: Most sums of this call, the newest first.

        Raises:
            PlayheadError: As `StoreClient.rows`; what was made until then counts.
        """
        found = self._client.rows(
            f"SELECT toUInt16(day), made FROM ({self._current})", {"layout": self._digest}
        )
        made = {int(day): int(number) for day, number in found.rows}
        whole, damaged = self._found()
        waiting = {_number_of(day) for day in stale}
        due = due_of(made, whole, (today - _EPOCH).days, waiting, damaged=damaged)[:longs_max]
        refused: list[QueryFailed] = []
        for long in due:
            try:
                self._make(long)
            except QueryFailed as fault:  # one that is too large leaves the others theirs
                refused.append(fault)
        if refused:
            raise refused[0]
        return [long.name for long in due]

    def _found(self) -> tuple[list[Long], list[Long]]:
        """Return the sums that are there with every row they were made with, and those that are not."""
        found = self._client.rows(
            "SELECT w.slot, toUInt16(w.first_day), w.days, arraySort(w.of), w.row_count = k.kept"
            " FROM (SELECT * FROM playhead.view_rollup_long FINAL) AS w"
            " LEFT JOIN (SELECT made, count() AS kept FROM playhead.view_rollup"
            f" WHERE {_IS_LONG} GROUP BY made) AS k ON w.made = k.made"
        )
        sums: tuple[list[Long], list[Long]] = [], []
        for slot, first, days, of, is_whole in found.rows:
            sums[not is_whole].append(Long(slot, first, days, tuple(map(int, of))))
        return sums

    def _make(self, long: Long) -> None:
        made = self._number()
        for turn in _turns(self._rows_by_dimension(long)):
            self._client.command(self._fill_sql(long, made, turn), settings=self._settings)
        # Let it count: the last step, one row.
        self._client.command(
            "INSERT INTO playhead.view_rollup_long (days, slot, first_day, made, of, row_count)"
            f" SELECT {long.days}, {long.slot}, '{_iso(long.first)}', {made}, {list(long.of)}, count()"
            f" FROM playhead.view_rollup WHERE made = {made} AND {_IS_LONG}"
        )

    def _rows_by_dimension(self, long: Long) -> list[tuple[str, int]]:
        """Return the dimensions that each of the makings has rows by ('': the totals), with how many."""
        found = self._client.rows(
            "SELECT dimension, count() FROM playhead.view_rollup"
            f" WHERE hours = 24 AND {_of(long)} AND (dimension = '' OR dimension IN ("
            " SELECT arrayJoin(dimensions) AS one FROM playhead.view_rollup_state FINAL"
            f" WHERE {_of(long)} GROUP BY one HAVING count() = {len(long.of)}))"
            " GROUP BY dimension ORDER BY dimension"
        )
        return [(name, int(rows)) for name, rows in found.rows]

    def _fill_sql(self, long: Long, made: int, turn: _Turn) -> str:
        columns = {one.name: one.merged() for edge in self._layout.columns.values() for one in edge}
        keys = ", ".join(("moment", "dimension", "value", *KEYS))
        names = "".join(f", {name}" for name in columns)
        sums = "".join(f",\n{sql}" for sql in columns.values())
        listed = ", ".join(f"'{name}'" for name in turn.dimensions)
        return (
            f"INSERT INTO playhead.view_rollup (first_seen_day, made, hours, {keys}, since{names})\n"
            "SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0\n"
            # Kept as long as the sums of the last of its days.
            f"SELECT toDate({long.end - 1}), {made}, {LONG_HOURS[long.days]}, {keys},"
            f" toDateTime(toDate({_since_sql(long)}), 'UTC') AS first{sums}\n"
            f"FROM playhead.view_rollup WHERE hours = 24 AND {_of(long)} AND dimension IN ({listed})"
            # Of the totals there is one value, of as many properties as there are.
            f" AND cityHash64(value, property) % {turn.parts} = {turn.part}{_within_sql(long)}\n"
            f"GROUP BY {keys}, first"
        )


_IS_LONG: Final = f"hours IN ({', '.join(map(str, sorted(LONG_HOURS.values())))})"
LONGS: Final = (
    "SELECT toUInt16(first_day) AS day, made, days, slot = day AS regular, of"
    " FROM playhead.view_rollup_long FINAL"
)
"""The newest making of every long sum, whether it counts or not."""


def due_of(
    made: Mapping[int, int],
    whole: Collection[Long],
    today: int,
    stale: Collection[int],
    *,
    damaged: Collection[Long] = (),
) -> list[Long]:
    """Return the sums that are to be made, the newest first; days are counted since 1970.

    Args:
        made: The makings of days that count.
        whole: The sums there are.
        today: What ended before it is over.
        stale: Days whose sums are to be made yet.
        damaged: Sums that are read, but have lost rows.
    """
    newest = [_of_makings(one, made) for one in _newest(today)]
    ready = (one for one in newest if one.span.isdisjoint(stale))
    regular = (_of_makings(one, made) for one in _regular(made, today))
    due = [
        one
        for one in (*islice(ready, 1), *regular)
        if len(one.of) >= MAKINGS_MIN and one not in whole and one.span.isdisjoint(stale)
    ]
    due += [one for one in newest if one in damaged and one not in due]
    return sorted(due, key=lambda one: (-one.end, -one.days))


def _of_makings(long: Long, made: Mapping[int, int]) -> Long:
    of = tuple(sorted(made[day] for day in long.span & made.keys()))
    return msgspec.structs.replace(long, of=of)


def _newest(today: int) -> Iterator[Long]:
    """Yield the four weeks that may be kept wherever they end, the newest first; not the regular ones."""
    for end in range(today, today - NEWEST_KEPT, -1):
        if (end - FIRST_MONDAY) % FOUR_WEEKS:
            yield Long(end % NEWEST_KEPT, end - FOUR_WEEKS, FOUR_WEEKS)


def _regular(made: Collection[int], today: int) -> Iterator[Long]:
    """Yield the weeks, and the four weeks one after the other, of some days that are over.

    Those that the oldest day lies within are left out: where views are kept for a time, each day
    that goes would have them made again.
    """
    oldest = min(made, default=0)
    for days in LONG_HOURS:
        for first in {day - (day - FIRST_MONDAY) % days for day in made}:
            if oldest <= first and first + days <= today:
                yield Long(first, first, days)


def _since_sql(long: Long) -> str:
    """Return the day (since 1970) that the bucket of a row begins with.

    What lies outside four weeks that end anywhere belongs to no other such sum: it is left out.
    """
    if not long.is_regular:
        return f"toUInt16({long.first})"
    day = f"(toInt32(toDate(since)) - {FIRST_MONDAY})"
    return f"toUInt16(intDiv({day}, {long.days}) * {long.days} + {FIRST_MONDAY})"


def _within_sql(long: Long) -> str:
    if long.is_regular:
        return ""
    return f" AND toUInt16(toDate(since)) BETWEEN {long.first} AND {long.end - 1}"


def _of(long: Long) -> str:
    """Return the condition for rows of the makings of a sum."""
    return (
        f"made IN ({', '.join(map(str, long.of))})"
        f" AND first_seen_day BETWEEN toDate({long.first}) AND toDate({long.end - 1})"
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


def _number_of(day: str) -> int:
    return (date.fromisoformat(day) - _EPOCH).days


def _iso(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()
