"""What the soak sends, by door: bodies one after the other, each repeated until it is acknowledged."""

import csv
import io
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

import msgspec

from bench.bodies import LoadView
from bench.posts import ROW_COLUMNS, Lines, Records, Rows
from bench.posts import Source as Posts
from bench.soak_book import Promise

EVENTS: Final = 20
BATCHES: Final = 20
"""Batches of a view, and bodies of the other trails, before the next one begins."""
FILES: Final = {
    "datasources/plays.datasource": (
        "SCHEMA >\n"
        + ",\n".join(f"    {name} {kind} `json:$.{name}`" for name, kind in ROW_COLUMNS)
        + "\n\nENGINE MergeTree\nENGINE_SORTING_KEY viewer_id, at\n"
    ),
    "datasources/plays_by_sender.datasource": (
        "SCHEMA >\n    sender String,\n    plays UInt64\n\n"
        "ENGINE SummingMergeTree\nENGINE_SORTING_KEY sender\n"
    ),
    "pipes/fill.pipe": (
        "NODE n\nSQL >\n    SELECT toString(sender) AS sender, count() AS plays FROM plays GROUP BY sender\n"
        "TYPE materialized\nDATASOURCE plays_by_sender\n"
    ),
    "datasources/imported.datasource": (
        "SCHEMA >\n    label LowCardinality(String),\n    number UInt64,\n    at DateTime,\n"
        "    note String\n\nENGINE MergeTree\nENGINE_SORTING_KEY label, number\n"
    ),
}
"""The project: a table for rows with a materialized view behind it, and one for files."""


class Trail(ABC):
    """A sequence of bodies of one sender at one door.

    Attributes:
        pending: A body was sent that has no answer yet.
    """

    door: str
    path: str
    kind: str
    every_s: float
    """Between an answer and the next body."""
    confirms: str = ""
    """SQL that counts the rows of this trail; asked at once after a 200 that promises they are there."""

    def __init__(self) -> None:
        self.pending = False

    @property
    @abstractmethod
    def over(self) -> bool:
        """Tell whether it has sent its last body."""

    @abstractmethod
    def body(self, now_ms: int) -> bytes:
        """Return the next body."""

    def headers(self) -> dict[str, str]:
        """Return further headers of the body that `body` returned last."""
        return {}

    @abstractmethod
    def acknowledged(self, answer: bytes) -> None:
        """Count the last body; the answer may name items that were refused."""

    @abstractmethod
    def promises(self) -> dict[str, Promise]:
        """Return what was promised so far, by key."""


class Told(msgspec.Struct):
    """The part of a door's answer that the books need."""

    rejected: list[object] = []


class ViewTrail(Trail):
    """One view, as an SDK sends it: batches of telemetry."""

    door = "telemetry"
    path = "/telemetry"
    kind = "application/json"
    every_s = 6.0

    def __init__(self, number: int, now_ms: int, seed: int) -> None:
        super().__init__()
        self._view = LoadView(number, seed, EVENTS, batches=BATCHES, now_ms=now_ms)
        self._refused = 0

    @property
    def over(self) -> bool:
        return self._view.over

    def body(self, now_ms: int) -> bytes:
        return self._view.body(now_ms)

    def headers(self) -> dict[str, str]:
        lines = self._view.headers.decode().splitlines()
        return {name: value for name, _, value in (line.partition(": ") for line in lines)}

    def acknowledged(self, answer: bytes) -> None:
        self._view.acknowledged()
        if b'"rejected":[]' not in answer:
            self._refused += len(msgspec.json.decode(answer, type=Told).rejected)

    def promises(self) -> dict[str, Promise]:
        view = self._view
        if not view.acked and not self.pending:
            return {}
        return {view.view_id: Promise(view.acked, EVENTS * self.pending, self._refused)}


class PostTrail(Trail):
    """Records, lines or rows of one sender, with an idempotency key for each body or without."""

    def __init__(self, source: Posts, each: int, *, keyed: bool) -> None:
        super().__init__()
        self._source = source
        self._each = each
        self._keyed = keyed
        self._name = uuid.uuid4().hex
        self._sent = self._acked = 0

    @property
    def over(self) -> bool:
        return self._acked >= BATCHES

    def body(self, now_ms: int) -> bytes:
        self._sent += 1
        return self._source.body(now_ms)

    def headers(self) -> dict[str, str]:
        return {"idempotency-key": f"{self._name}-{self._sent}"} if self._keyed else {}

    def acknowledged(self, answer: bytes) -> None:  # noqa: ARG002 (these doors name nothing)
        self._acked += 1
        self._source.acknowledged()

    def promises(self) -> dict[str, Promise]:
        if not self._acked and not self.pending:
            return {}
        return {
            key: Promise(count, self._each * self.pending)
            for key, count in self._source.ledger().items()
        }


class CmcdTrail(PostTrail):
    """CMCD records of some views at once; what is sent again is told by its content, or by a key."""

    door = "cmcd"
    path = Records.path
    kind = Records.kind
    every_s = 3.0

    def __init__(self, number: int, *, keyed: bool) -> None:
        super().__init__(Records(number, 10), 1, keyed=keyed)


class LineTrail(PostTrail):
    """Lines of a CDN's access log."""

    door = "cdn"
    path = Lines.path
    kind = Lines.kind
    every_s = 2.0

    def __init__(self, number: int) -> None:
        super().__init__(Lines(number, 50), 50, keyed=True)


class RowTrail(PostTrail):
    """Rows of a project's data source; half of the senders wait until they can be queried."""

    door = "rows"
    kind = Rows.kind
    every_s = 2.0

    def __init__(self, number: int) -> None:
        super().__init__(Rows(number, 50), 50, keyed=True)
        waits = number % 2 == 0
        self.path = Rows.path + "&wait=true" * waits
        self.confirms = (
            f"SELECT count() AS n FROM plays WHERE sender = 'sender-{number}'" if waits else ""
        )


Maker = Callable[[int, int], Trail]
"""Makes the trail of a number, at a time in ms."""


def trails(seed: int) -> list[Maker]:
    """Return what makes the next trail of each slot."""

    def view(number: int, now_ms: int) -> Trail:
        return ViewTrail(number, now_ms, seed)

    def keyed(number: int, _: int) -> Trail:
        return CmcdTrail(number, keyed=True)

    def keyless(number: int, _: int) -> Trail:
        return CmcdTrail(number, keyed=False)

    def logged(number: int, _: int) -> Trail:
        return LineTrail(number)

    def row(number: int, _: int) -> Trail:
        return RowTrail(number)

    return [*[view] * 60, *[keyed, keyless, logged] * 2, *[row] * 4]


def file_of(label: str, rows: int) -> bytes:
    """Return a CSV of so many rows for the data source `imported`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("label", "number", "at", "note"))
    for number in range(rows):
        writer.writerow((label, number, "2024-02-01 10:00:00", f'note "{number}"'))
    return text.getvalue().encode()
