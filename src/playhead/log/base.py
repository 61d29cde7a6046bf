"""The log's contract: one ordered, durable, replayable log; every consumer keeps its own offset.

`tests/contract/test_log.py` runs over every implementation of `Log`.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

TICK_DOOR = "tick"
"""Door of the empty records that carry log time forward while nothing arrives."""


class Entry(msgspec.Struct, frozen=True):
    """One accepted batch on its way into the log.

    `key` routes (the session), `events` counts what is inside, `meta` is JSON of `model.event.Meta`,
    `body` the accepted bytes, not compressed.
    """

    door: str
    key: str
    events: int
    meta: bytes
    body: bytes


class Record(msgspec.Struct, frozen=True):
    """One batch as the log holds it. `received_at` (UTC ms) never goes back along offsets."""

    offset: int
    door: str
    key: str
    received_at: int
    events: int
    meta: bytes
    body: bytes


class Bounds(msgspec.Struct, frozen=True):
    """What the log holds: offsets `first` to `next`-1; all events ever appended before `next`."""

    first: int
    next: int
    events_total: int
    newest_received_at: int


class Log(Protocol):
    """An ordered log of batches. Offsets are dense and start at 0."""

    def append(self, entries: Sequence[Entry]) -> list[int]:
        """Store entries, in order, as one commit; return their offsets once they are on disk.

        Raises:
            DiskLow: Free space is below the floor; nothing was stored.
            LogUnavailable: The disk refused; nothing was stored.
        """
        ...

    def read(self, offset: int, *, max_records: int, max_bytes: int) -> list[Record]:
        """Return the records from `offset` on, at least one if there is one, in order.

        `max_bytes` bounds the uncompressed bodies; the record that crosses it is the last.

        Raises:
            OffsetGone: Retention removed this offset.
            LogCorrupt: The segment cannot be read.
        """
        ...

    def bounds(self) -> Bounds:
        """Return what the log holds now; cheap enough to poll."""
        ...

    def events_before(self, offset: int) -> int:
        """Return how many events were ever appended before `offset`."""
        ...

    def trim(self, keep_from: int) -> int:
        """Drop whole segments that lie before `keep_from` and beyond the limits; return how many."""
        ...

    def close(self) -> None:
        """Release files; what was appended stays."""
        ...
