"""Where the view row and the truth differ, as sentences; none is what the tests want."""

from typing import Any, Final

from e2e.stage import Outcome
from e2e.truth import STALL_MS, Stretch, Truth
from playhead.query.span import ms_of

NEAR_MS: Final = 150.0
NEAR_S: Final = NEAR_MS / 1000


class Differences:
    """Collects what differs, and by how much what agrees."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.measured: dict[str, float] = {}

    def near(self, what: str, said: float | None, true: float | None, limit: float) -> None:
        """A number that may be off by a limit."""
        if said is None or true is None:
            if said is not true:
                self.wrong.append(f"{what}: said {said}, true {true}")
            return
        off = said - true
        if abs(off) > abs(self.measured.get(what, 0)):
            self.measured[what] = round(off, 3)
        if abs(off) > limit:
            self.wrong.append(f"{what}: said {said:.2f}, true {true:.2f}")

    def same(self, what: str, said: Any, true: Any) -> None:
        """A value that must be equal."""
        if said != true:
            self.wrong.append(f"{what}: said {said}, true {true}")


def differences(outcome: Outcome) -> Differences:
    """Compare everything that both sides know of."""
    found, row, truth = Differences(), outcome.row, outcome.told.truth
    found.same("events missing", row["events_missing"], 0)
    found.same("duplicates", row["duplicates"], 0)
    found.same("errors of the page", truth.page_errors, [])
    found.near("startup ms", row["startup_ms"], truth.startup_ms, NEAR_MS)
    _stalls(found, row, truth)
    _seeks(found, row, truth)
    _pauses(found, row, truth)
    found.same("switches up, down", (row["upshifts"], row["downshifts"]), truth.switches())
    watched(found, row, truth.watched())
    return found


def _stalls(found: Differences, row: dict[str, Any], truth: Truth) -> None:
    counts = truth.stall_counts()
    if row["rebuffer_count"] not in counts:
        found.wrong.append(f"stalls: said {row['rebuffer_count']}, true {list(counts)}")
    said = spans(row, "rebuffering")
    true = [span for span in truth.stalls() if span.ms >= STALL_MS]
    if len(said) == len(true):
        for one, other in zip(said, true, strict=True):
            found.near("stall ms", one.ms, other.ms, NEAR_MS)
            found.near("stall begins", one.begin, other.begin, NEAR_MS)


def _seeks(found: Differences, row: dict[str, Any], truth: Truth) -> None:
    seeks = truth.seeks()
    found.same("seeks", row["seek_count"], len(seeks))
    if row["seek_count"] == len(seeks):
        total = sum(seek.ms for seek in seeks)
        found.near("seek ms", row["seek_ms"], total, NEAR_MS * max(1, len(seeks)))


def _pauses(found: Differences, row: dict[str, Any], truth: Truth) -> None:
    wished = [one for one in truth.wishes if one.kind == "pause"]
    found.same("pauses", row["pause_count"], len(wished))


def watched(found: Differences, row: dict[str, Any], true: list[tuple[float, float]]) -> None:
    """Compare the content watched."""
    said = [(one["from_s"], one["to_s"]) for one in row["watched"]]
    if len(said) != len(true):
        found.wrong.append(f"watched: said {said}, true {true}")
        return
    for one, other in zip(said, true, strict=True):
        found.near("watched from", one[0], other[0], NEAR_S)
        found.near("watched to", one[1], other[1], NEAR_S)


def spans(row: dict[str, Any], state: str) -> list[Stretch]:
    """The intervals of a state, in ms since 1970."""
    return [
        Stretch(ms_of(one["from"]), ms_of(one["to"]))
        for one in row["intervals"]
        if one["state"] == state
    ]
