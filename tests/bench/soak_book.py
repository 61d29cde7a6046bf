"""What a sender was promised, and whether the store holds exactly that.

A book says by door and key (view, host, sender, file) how many items were acknowledged, and how many
were in a request that never got its answer: those may be there, but only all of them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

SHOWN_MAX: Final = 20
"""Sentences kept of what is wrong; their number is counted in full."""
VIEW_DOORS: Final = ("telemetry", "cmcd")


class Promise(msgspec.Struct, array_like=True):
    """Items of one key."""

    acked: int = 0
    """Acknowledged: all of them must be there, once."""
    uncertain: int = 0
    """In a request without an answer: all of them may be there, or none."""
    refused: int = 0
    """Of the acknowledged, those named as refused in the answer: they must not be there."""

    def allows(self, count: int) -> bool:
        """Tell whether so many items may be in the store."""
        least = self.acked - self.refused
        return count in {least, least + self.uncertain}

    def broken_by(self, count: int, later: "Promise") -> bool:
        """Tell whether so many are too few for now, or more than were sent until later."""
        most = later.acked - later.refused + later.uncertain
        return not self.acked - self.refused <= count <= most


Promises = dict[str, dict[str, Promise]]
"""By door and key."""


class Found(msgspec.Struct, array_like=True):
    """What the store holds of one key."""

    count: int = 0
    different: int = 0
    """How many of them differ: less than `count` when something is there twice."""


class Row(msgspec.Struct, array_like=True):
    """The view rows of one view, as readers see them."""

    rows: int = 0
    events: int = 0
    missing: int = 0
    """Events the fold knows to be missing."""


class Stored(msgspec.Struct):
    """Everything of the store that a book is compared with."""

    doors: dict[str, dict[str, Found]]
    views: dict[str, Row]
    summed: dict[str, int]
    """By sender: rows as the materialized view behind their table has counted them."""


class Dishonest(msgspec.Struct):
    """An answer that should not have been given."""

    at_s: float
    door: str
    what: str


class Book(msgspec.Struct):
    """What the senders know, at a moment."""

    at_s: float = 0.0
    finished: bool = False
    """Whether the senders have stopped and nothing is on its way any more."""
    promises: Promises = {}
    answers: dict[int, dict[str, dict[str, int]]] = {}
    """Answers by span of `SPAN_S` seconds, door and outcome."""
    slowest_s: dict[str, float] = {}
    dishonest: list[Dishonest] = []
    dishonest_total: int = 0
    confirmed: int = 0
    """Times that rows were counted at once after an answer that said they can be queried."""
    jobs: dict[str, str] = {}
    """The last status of each import, by its label."""

    def items(self, door: str) -> int:
        """Return how many items of a door were acknowledged."""
        return sum(one.acked for one in self.promises.get(door, {}).values())

    def refused(self) -> int:
        """Return how many acknowledged items were named as refused."""
        return sum(one.refused for door in self.promises.values() for one in door.values())


SPAN_S: Final = 5


def read_book(path: Path) -> Book:
    """Return the book that the senders wrote last; an empty one before they have."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Book)
    except FileNotFoundError:
        return Book()


def differences(book: Book, stored: Stored) -> list[str]:
    """Return a sentence for everything that is lost, doubled or not acknowledged at all."""
    wrong: list[str] = []
    for door, promises in book.promises.items():
        found = stored.doors.get(door, {})
        for key, promise in promises.items():
            wrong += _of_key(door, key, promise, found.get(key, Found()))
        # Keys nobody sent would be as wrong: rows that went to the wrong place.
        wrong += [
            f"{door} {key}: {found[key].count} stored, never sent"
            for key in found.keys() - promises.keys()
        ]
    for door in VIEW_DOORS:
        found = stored.doors.get(door, {})
        wrong += _of_views(door, {key: found[key].count for key in found}, stored.views)
    rows = stored.doors.get("rows", {})
    wrong += [
        f"rows {key}: {one.count} stored, the materialized view counts {stored.summed.get(key, 0)}"
        for key, one in rows.items()
        if stored.summed.get(key, 0) != one.count
    ]
    return wrong


def losses(earlier: Book, stored: Stored, later: Book) -> list[str]:
    """Return a sentence for every key that had lost or doubled something while senders went on.

    Args:
        earlier: Read before everything in it was waited for.
        stored: Read then.
        later: Read after that: nothing can be stored that it does not know of.
    """
    wrong = []
    for door, promises in earlier.promises.items():
        for key, promise in promises.items():
            found = stored.doors.get(door, {}).get(key, Found())
            limit = later.promises.get(door, {}).get(key, promise)
            if found.count != found.different:
                wrong.append(f"{door} {key}: {found.count} stored, {found.different} different")
            elif promise.broken_by(found.count, limit):
                wrong.append(
                    f"{door} {key}: {promise.acked} acknowledged before, {found.count} stored"
                )
    return wrong


def _of_key(door: str, key: str, promise: Promise, found: Found) -> list[str]:
    if found.count != found.different:
        return [f"{door} {key}: {found.count} stored, {found.different} different"]
    if promise.allows(found.count):
        return []
    return [
        (
            f"{door} {key}: {promise.acked} acknowledged ({promise.refused} of them refused,"
            f" {promise.uncertain} more without an answer), {found.count} stored"
        )
    ]


def _of_views(door: str, counts: Mapping[str, int], views: Mapping[str, Row]) -> list[str]:
    wrong = []
    for key, count in counts.items():
        row = views.get(key, Row())
        if (row.rows, row.events, row.missing) != (1, count, 0):
            wrong.append(
                f"{door} {key}: {count} events stored, its {row.rows} rows say {row.events}"
                f" and {row.missing} missing"
            )
    return wrong
