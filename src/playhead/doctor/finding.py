"""What the doctor finds: how bad, what it is, and what to do about it."""

import enum
from collections.abc import Iterable

import msgspec


class Level(enum.StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


class Finding(msgspec.Struct, frozen=True):
    """One finding; `remedy` is empty where nothing has to be done."""

    check: str
    level: Level
    found: str
    remedy: str = ""


class Findings(msgspec.Struct):
    """What was found, in the order it was looked at, and what could not be looked at."""

    found: list[Finding] = []
    skipped: list[str] = []
    """Checks that were left out, each with why."""

    def ok(self, check: str, found: str) -> None:
        """Note that something is as it should be."""
        self.found.append(Finding(check, Level.OK, found))

    def warn(self, check: str, found: str, remedy: str) -> None:
        """Note what may go wrong."""
        self.found.append(Finding(check, Level.WARN, found, remedy))

    def bad(self, check: str, found: str, remedy: str) -> None:
        """Note what is wrong."""
        self.found.append(Finding(check, Level.BAD, found, remedy))

    def skip(self, check: str, why: str) -> None:
        """Note what could not be looked at."""
        self.skipped.append(f"{check} ({why})")

    def worst(self) -> Level:
        """Return the worst level of all findings."""
        return worst_of(one.level for one in self.found)


def worst_of(levels: Iterable[Level]) -> Level:
    """Return the worst of some levels; `ok` of none."""
    return max(levels, key=list(Level).index, default=Level.OK)
