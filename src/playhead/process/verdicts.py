"""What a refusal of the engine means: for ever, or for the moment, and how long a moment is."""

from typing import Final

from playhead.clock import Clock
from playhead.errors import QueryFailed
from playhead.store.fault import TIMEOUTS, views_failed

DATA_FAULTS: Final = frozenset({
    6, 26, 27, 32, 33, 38, 41, 53, 69, 70, 72, 117, 130, 131, 321, 349, 407,
})  # fmt: skip
"""The engine's codes for values it cannot read or keep: the row is at fault, not the moment."""
TABLE_FAULTS: Final = frozenset({16, 44, 46, 47, 48, 60, 80, 81, 386})
"""The engine's codes for a table that is not what the routes say."""
ROW_FAULTS: Final = DATA_FAULTS | {
    25, 28, 34, 35, 36, 43, 49, 128, 153, 190, 252, 306, 376, 395, 441, 467, 675, 676, 691,
}  # fmt: skip
"""Codes for values that a table cannot keep: what its expressions (partition, DEFAULT) make of them, too.
252 is one insert for too many partitions."""
PASSING_FAULTS: Final = frozenset({
    0, 23, 74, 75, 76, 107, 160, 173, 210, 236, 240, 243, 290, 394, 425, 439, 1000, 1001, 1002,
})  # fmt: skip
"""Codes of a disk, a network or an engine in trouble: repeated for as long as it takes, and where a
view behind the table has them, for `WAITED_S`."""
WAITED_S: Final = 300.0
"""How long an insert is repeated that a view refuses with a passing fault, or the engine with a code
that nobody knows here: the log stands still meanwhile."""
GIVEN_UP_S: Final = 3_600.0
"""So long such a code of a table is not waited for again: each block would stop the log anew."""
GIVEN_UP_TRIES: Final = 5
"""How often a block is tried meanwhile that the table itself refuses."""
GIVEN_UP_MAX: Final = 10_000
"""Tables and codes remembered; beyond it all are waited for again."""

_Case = tuple[str, str, int]
"""Table, the view behind it or "", code."""


class Verdicts:
    """Judges refusals, and remembers what was waited for in vain."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._given_up: dict[_Case, float] = {}

    def of(self, table: str, *, passage: str | None = None) -> "Verdict":
        """Return what judges one insert.

        Args:
            table: Where the rows go.
            passage: The view that is part of the way into the table of a project, "" = there is
                none; None: it is a table of Playhead's own.
        """
        return Verdict(self, table, passage)

    def taken(self, table: str) -> None:
        """Say that a table and all views behind it took a block: its views are waited for again."""
        if self._given_up:
            for case in [one for one in self._given_up if one[0] == table and one[1]]:
                del self._given_up[case]

    def now_s(self) -> float:
        """Return the time (monotonic)."""
        return self._clock.monotonic_s()

    def is_given_up(self, case: _Case) -> bool:
        """Return whether somebody waited for this in vain not long ago."""
        at_s = self._given_up.get(case)
        return at_s is not None and self.now_s() - at_s < GIVEN_UP_S

    def give_up(self, case: _Case) -> None:
        """Remember that it was waited for in vain."""
        if len(self._given_up) >= GIVEN_UP_MAX:
            self._given_up.clear()
        self._given_up[case] = self.now_s()


class Verdict:
    """Judges the refusals of one insert that is repeated under one token."""

    def __init__(self, verdicts: Verdicts, table: str, passage: str | None) -> None:
        self._verdicts = verdicts
        self._table = table
        self._passage = passage
        self._began_s: dict[_Case, float] = {}
        self._tries = 0

    def is_lasting(self, error: QueryFailed) -> bool:
        """Return whether the insert would be refused for ever, or was repeated long enough."""
        self._tries += 1
        code = error.engine_code
        views = failed_views(error)
        if views:
            return self._is_lasting_of(views, code)
        if code in DATA_FAULTS:
            return True
        if self._passage is None or code in PASSING_FAULTS:
            return False
        if code in ROW_FAULTS or code in TABLE_FAULTS:
            return True
        return self._is_over((self._table, "", code), tries=GIVEN_UP_TRIES)

    def _is_lasting_of(self, views: list[str], code: int) -> bool:
        if code not in PASSING_FAULTS | TIMEOUTS:
            return True
        if code in PASSING_FAULTS and all(view == self._passage for view in views):
            return False  # on the way into the table: nothing of the block is there
        return self._is_over((self._table, views[-1], code), tries=1)

    def _is_over(self, case: _Case, *, tries: int) -> bool:
        now_s = self._verdicts.now_s()
        if now_s - self._began_s.setdefault(case, now_s) >= WAITED_S:
            self._verdicts.give_up(case)
            return True
        return self._tries >= tries and self._verdicts.is_given_up(case)


def of_rows(error: QueryFailed) -> bool:
    """Return whether a value is at fault, or a materialized view that cannot take it."""
    return error.engine_code in DATA_FAULTS or bool(failed_views(error))


def failed_views(error: QueryFailed) -> list[str]:
    """Return the materialized views, `database.view`, that did not take what their table has."""
    return views_failed(error.message)
