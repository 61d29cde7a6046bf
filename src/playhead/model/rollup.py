"""What a rollup of views holds: its columns and dimensions, made from the metric catalogue.

The maker (`store/rollup.py`) and the reader (`query/rollup.py`) work from the same layout; its digest
says whether what was made is what is asked for.
"""

import hashlib
import re
from typing import Final, Literal

import msgspec

Edge = Literal["start", "end"]
"""By which of its two moments a view is counted."""
MOMENTS: Final[dict[Edge, str]] = {"start": "started_at", "end": "ended_at"}
KEYS: Final = ("property", "bot", "internal")
"""Dimensions that every row of a rollup has as columns of their own."""
UNROLLED: Final = frozenset({"viewer_id", "session_id"})
"""Dimensions with about as many values as there are views: sums of them would save nothing."""
GENERATION: Final = 1
"""Raised when rows are made in another way from the same definitions."""
FIRST_MONDAY: Final = 4
"""Days since 1970: weeks, and the four weeks that follow one another, are counted from it, UTC."""
WEEK: Final = 7
FOUR_WEEKS: Final = 28
LONG_HOURS: Final[dict[int, int]] = {FOUR_WEEKS: 0, WEEK: 168}
"""What the column `hours`, one byte, says of rows that stand for so many days, the longest first."""
_STATE: Final = re.compile(r"AggregateFunction\((\w+)(\([^)]*\)), \w+\)")


class Column(msgspec.Struct, frozen=True):
    """One column of sums: how it is called, its type, and the SQL that makes it of views."""

    name: str
    type: str
    made: str

    @property
    def is_state(self) -> bool:
        """Return whether it holds sketches or sets, which take long to put together."""
        return self.type.startswith("AggregateFunction(")

    def merged(self) -> str:
        """Return the SQL that puts the values of several rows together to one of the same kind."""
        state = _STATE.match(self.type)
        if state is None:
            return f"sum({self.name})"
        return f"{state[1]}MergeState{state[2]}({self.name})"


class RolledDimension(msgspec.Struct, frozen=True):
    """A dimension of a rollup and its SQL over views, as text."""

    id: str
    sql: str


class Layout(msgspec.Struct, frozen=True):
    """The columns by the moment they count at, and the dimensions they are cut by."""

    columns: dict[Edge, tuple[Column, ...]]
    dimensions: tuple[RolledDimension, ...]

    def all_columns(self) -> dict[str, str]:
        """Return the type of every column by name."""
        return {one.name: one.type for columns in self.columns.values() for one in columns}

    def digest(self) -> str:
        """Return what names this layout: another text means that rollups must be made anew."""
        said = msgspec.json.encode((GENERATION, self), order="sorted")
        return hashlib.sha256(said).hexdigest()[:24]


def column(letter: str, kind: str, made: str) -> Column:
    """Return the column of an expression; the same expression always bears the same name."""
    return Column(f"{letter}_{hashlib.sha256(made.encode()).hexdigest()[:12]}", kind, made)
