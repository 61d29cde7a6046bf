"""Which makings of days, and sums of several, count now: one look, shared by all questions of about half a second.

Only that changes from look to look; what a making holds never does, and is read once.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from playhead.clock import Clock
from playhead.model.rollup import Edge
from playhead.query.cache import Cache
from playhead.query.span import HOUR_MS, Span
from playhead.query.statement import ONE_THREAD, Statement
from playhead.store.rollup import HELD, PARTS, STATES

Ask = Callable[[Statement], Awaitable[list[dict[str, Any]]]]
_LOOK: Final = "look"


class Making(msgspec.Struct, frozen=True):
    """The sums of a day as they were made once."""

    day: int
    """Since 1970: shorter than a date."""
    made: int
    dimensions: frozenset[str]
    """What it has rows by, beside the totals."""
    hours: dict[Edge, tuple[int, ...]]
    """When the hours begin (ms) in which its views begin and end, in order."""

    def is_by(self, dimension: str) -> bool:
        """Return whether it has rows by a dimension; "" = the totals."""
        return not dimension or dimension in self.dimensions

    def touched(self, edge: Edge, span: Span) -> tuple[int, int] | None:
        """Return the first and the last hour (ms) that views may begin or end in within a span."""
        hours = self.hours[edge]
        first = bisect_right(hours, span.from_ms - HOUR_MS)
        after = bisect_left(hours, span.to_ms)
        is_any = span.from_ms < span.to_ms and first < after
        return (hours[first], hours[after - 1]) if is_any else None


class Long(msgspec.Struct, frozen=True):
    """The sums of a week or of four, put together once from those of its days."""

    first: int
    """Its first day, since 1970."""
    days: int
    made: int
    regular: bool
    """Whether it is one of those that follow one another.

    It then has rows for the spans of others too: of views that begin or end outside its own days.
    """
    of: frozenset[int]
    """The makings it holds: all of them count."""


class Days(msgspec.Struct, frozen=True):
    """The makings that count, the newest day first, and the long sums made of them."""

    makings: tuple[Making, ...] = ()
    longs: tuple[Long, ...] = ()


class _State(msgspec.Struct, frozen=True):
    """The newest making of a day, and what the day's views were as."""

    day: int
    made: int
    views: tuple[int, int, int]


class RolledDays:
    """Looks which days have sums that are as their views are.

    A look asks what the parts of three tables are called, which is quick; what the states of rollups
    say is read again only when theirs are others.
    """

    def __init__(self, clock: Clock, layout: str, *, keep_ms: int) -> None:
        self._layout = layout
        self._keep_ms = keep_ms
        self._looks: Cache[Days] = Cache(clock, max_entries=1, max_bytes=1, size_of=lambda _: 0)
        self._known: dict[int, Making] = {}
        self._states: tuple[_State, ...] = ()
        self._longs: tuple[Long, ...] = ()
        self._states_are: list[Any] | None = None
        self.last: Days | None = None
        """What the newest look saw, however long ago."""

    async def look(self, ask: Ask) -> Days:
        """Return the makings that count, by a look not older than `keep_ms`; raises as `ask`."""
        return await self._looks.get(_LOOK, lambda: self._look(ask), keep_ms=self._keep_ms)

    def forget_look(self) -> None:
        """Look anew at the next question: rows of days that were summed up are gone."""
        self._looks.clear()

    async def _look(self, ask: Ask) -> Days:
        parts = await ask(Statement(PARTS, {}, ONE_THREAD))
        states = sorted((row["table"], row["parts"]) for row in parts if row["table"] != "views")
        if states != self._states_are:
            await self._read_states(ask)
            # Named by what was seen before they were read: newer ones are read once more.
            self._states_are = states
        views = {row["day"]: _views(row) for row in parts if row["table"] == "views"}
        made = [one.made for one in self._states if views.get(one.day) == one.views]
        fresh = [number for number in made if number not in self._known]
        if fresh:
            held = await ask(Statement(HELD, {"made": fresh}, ONE_THREAD))
            self._known |= {row["made"]: _making(row) for row in held}
        # One that was replaced meanwhile is not found any more: its day is read from the views.
        known = {number: self._known[number] for number in made if number in self._known}
        longs = tuple(one for one in self._longs if one.of <= known.keys())
        self._known = known
        self.last = Days(tuple(known.values()), longs)
        return self.last

    async def _read_states(self, ask: Ask) -> None:
        rows = await ask(Statement(STATES, {"layout": self._layout}, ONE_THREAD))
        days = [_State(row["day"], row["made"], _views(row)) for row in rows if not row["of"]]
        self._states = tuple(sorted(days, key=lambda one: -one.day))
        self._longs = tuple(_long(row) for row in rows if row["of"])


def _views(row: dict[str, Any]) -> tuple[int, int, int]:
    return row["first_block"], row["last_block"], row["last_mutation"]


def _long(row: dict[str, Any]) -> Long:
    of = frozenset(row["of"])
    return Long(row["day"], row["days"], row["made"], bool(row["regular"]), of)


def _making(row: dict[str, Any]) -> Making:
    hours: dict[Edge, tuple[int, ...]] = {
        "start": tuple(at * 1000 for at in row["starts"]),
        "end": tuple(at * 1000 for at in row["ends"]),
    }
    return Making(row["day"], row["made"], frozenset(row["dimensions"]), hours)
