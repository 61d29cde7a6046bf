"""Which makings of days count now: one look, shared by all questions of about half a second.

Only that changes from look to look; what a making holds never does, and is read once.
"""

from bisect import bisect_right
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from playhead.clock import Clock
from playhead.model.rollup import Edge
from playhead.query.cache import Cache
from playhead.query.span import HOUR_MS
from playhead.query.statement import LIGHT_SETTINGS, Statement
from playhead.store.rollup import CURRENT, HELD

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

    def has_within(self, edge: Edge, from_ms: int, to_ms: int) -> bool:
        """Return whether views may begin or end within a span: its hours touch it."""
        hours = self.hours[edge]
        at = bisect_right(hours, from_ms - HOUR_MS)
        return from_ms < to_ms and at < len(hours) and hours[at] < to_ms


Days = tuple[Making, ...]
"""The makings that count, the newest day first."""


class RolledDays:
    """Looks which days have sums that are as their views are."""

    def __init__(self, clock: Clock, layout: str, *, keep_ms: int) -> None:
        self._layout = layout
        self._keep_ms = keep_ms
        self._looks: Cache[Days] = Cache(clock, max_entries=1, max_bytes=1, size_of=lambda _: 0)
        self._known: dict[int, Making] = {}
        self.last: Days | None = None
        """What the newest look saw, however long ago."""

    async def look(self, ask: Ask) -> Days:
        """Return the makings that count, by a look not older than `keep_ms`; raises as `ask`."""
        return await self._looks.get(_LOOK, lambda: self._look(ask), keep_ms=self._keep_ms)

    async def _look(self, ask: Ask) -> Days:
        sql = f"{CURRENT} ORDER BY day DESC"
        found = await ask(Statement(sql, {"layout": self._layout}, LIGHT_SETTINGS))
        made = [row["made"] for row in found]
        fresh = [number for number in made if number not in self._known]
        if fresh:
            held = await ask(Statement(HELD, {"made": fresh}, LIGHT_SETTINGS))
            self._known |= {row["made"]: _making(row) for row in held}
        # One that was replaced meanwhile is not found any more: its day is read from the views.
        self._known = {number: self._known[number] for number in made if number in self._known}
        self.last = tuple(self._known.values())
        return self.last


def _making(row: dict[str, Any]) -> Making:
    hours: dict[Edge, tuple[int, ...]] = {
        "start": tuple(at * 1000 for at in row["starts"]),
        "end": tuple(at * 1000 for at in row["ends"]),
    }
    return Making(row["day"], row["made"], frozenset(row["dimensions"]), hours)
