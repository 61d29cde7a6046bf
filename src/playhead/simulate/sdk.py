"""The simulated player SDK: turns what the player does into wire events and cuts batches."""

import random
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from playhead.model import kinds

HEARTBEAT_MS = 10_000
HIDDEN_HEARTBEAT_MS = 60_000
MAX_BATCH_EVENTS = 100
TELLING = frozenset({
    kinds.PLAY, kinds.PLAYING, kinds.PLAYER_ERROR, kinds.BUFFER_START, kinds.BUFFER_END,
    kinds.ENDED, kinds.STOP, kinds.VISIBILITY, kinds.HEARTBEAT,
})  # fmt: skip
"""Kinds with which the batch leaves at once; the heartbeat among them makes it every 10 s."""


class Batch(msgspec.Struct, kw_only=True):
    """One request of one player: its headers and events, `sentAt` still missing."""

    view_id: str
    headers: dict[str, str]
    events: list[dict[str, Any]]
    clock_skew_ms: int = 0

    def body(self, sent_at_ms: int) -> bytes:
        """Return the request body as sent at true time `sent_at_ms`."""
        sent_at = sent_at_ms + self.clock_skew_ms
        for event in self.events:
            event["sentAt"] = sent_at
        return msgspec.json.encode(self.events)


class Timed(NamedTuple):
    """A batch and the simulated UTC ms at which it leaves its player."""

    at_ms: int
    batch: Batch


def uuid7(rng: random.Random, at_ms: int) -> str:
    """Return a UUID of version 7 for a moment, random bits from `rng`."""
    value = (at_ms & (1 << 48) - 1) << 80 | 0x7 << 76 | rng.getrandbits(12) << 64
    return str(uuid.UUID(int=value | 0b10 << 62 | rng.getrandbits(62)))


class Sdk:
    """Numbers the events of one view and holds them until a batch leaves."""

    def __init__(
        self, view_id: str, headers: dict[str, str], base: dict[str, Any], *, start_ms: int,
        clock_skew_ms: int,
    ) -> None:  # fmt: skip
        self.base = base
        self.seq = 0
        self._view_id = view_id
        self._headers = headers
        self._start_ms = start_ms
        self._skew_ms = clock_skew_ms
        self._held: list[dict[str, Any]] = []
        self._telling = False
        self.last_sent_ms = start_ms

    def emit(self, kind: str, at_ms: int, fields: dict[str, Any]) -> None:
        """Hold an event that happened at true time `at_ms`."""
        self._held.append({
            "eventType": kind,
            "timestamp": at_ms + self._skew_ms,
            "seq": self.seq,
            "monotonicMs": at_ms - self._start_ms,
            **self.base,
            **fields,
        })  # fmt: skip
        self.seq += 1
        self._telling = self._telling or kind in TELLING

    def due(self, at_ms: int) -> Iterator[Timed]:
        """Give the batch that leaves at `at_ms`, if one does."""
        if self._held and (self._telling or len(self._held) >= MAX_BATCH_EVENTS):
            held, self._held, self._telling = self._held, [], False
            self.last_sent_ms = held[-1]["timestamp"] - self._skew_ms
            batch = Batch(view_id=self._view_id, headers=self._headers, events=held,
                          clock_skew_ms=self._skew_ms)  # fmt: skip
            yield Timed(at_ms, batch)

    def lose(self) -> None:
        """Forget what is held: the player was killed."""
        self.seq -= len(self._held)
        self._held.clear()
        self._telling = False
