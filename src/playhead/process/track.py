"""One view key in memory: the fold so far, its recent events, and what has been seen.

The newest state (`head`) grows by one `apply` an event. Behind it stand two older copies, `base`
and `mid`, and `tail`, the sorted events since `base`: an event that comes out of order is put in
its place and the head folded again from `base`, so order of arrival never shows in the row. What is
older than `base` cannot be put in place here; the track says LATE and is folded again from the store.
"""

import base64
from bisect import bisect_right
from enum import Enum
from typing import Any

import msgspec
import zstandard

from playhead.model.event import Event
from playhead.model.event_row import Stored
from playhead.model.view import ViewRow
from playhead.observe import logger
from playhead.process.fold import (
    Limits,
    ViewState,
    apply,
    cut_off,
    cuts,
    derived_id,
    due,
    finish,
    fork,
    new_view,
    order_key,
)
from playhead.process.identity import has_seq
from playhead.process.seen import Seen, SeenImage

_LOG = logger("worker")


class Verdict(Enum):
    """What became of an event given to a track."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    LATE = "late"
    """New, but older than what is kept in memory: fold the view again from stored events."""
    FULL = "full"
    """The view already holds as many events as one view may."""


class Snapshot(msgspec.Struct, array_like=True):
    """A track as the newest row of its current view carries it: the store is the checkpoint."""

    view: ViewState
    explicit: bool
    ordinal: int
    seen: SeenImage
    duplicates: int
    count: int
    last_key: list[Any]


class Chain:
    """The views of one key in order: `closed` ones since the base, and the `current` one."""

    __slots__ = ("closed", "current", "ordinal")

    def __init__(self, current: ViewState, ordinal: int = 0) -> None:
        self.closed: list[ViewState] = []
        self.current = current
        self.ordinal = ordinal

    def fork(self) -> "Chain":
        """Return a copy that can go its own way; closed views never change and are shared."""
        chain = Chain(fork(self.current), self.ordinal)
        chain.closed = list(self.closed)
        return chain


class Track:
    """Everything the worker knows of one view key."""

    __slots__ = (
        "_base",
        "_base_key",
        "_dirty",
        "_head",
        "_keys",
        "_last_key",
        "_limits",
        "_mid",
        "_mid_at",
        "_tail",
        "closed",
        "count",
        "due_ms",
        "duplicates",
        "explicit",
        "key",
        "late",
        "seen",
        "tail_counted",
        "touched_ms",
    )

    def __init__(self, key: str, view_id: str, *, explicit: bool, limits: Limits) -> None:
        self.key = key
        self.explicit = explicit
        self.seen = Seen()
        self.duplicates = 0
        self.count = 0
        self.late = False
        self.closed = False
        self.due_ms = 0
        self.touched_ms = 0
        self.tail_counted = 0
        self._limits = limits
        first = view_id if explicit else derived_id(key, 0)
        self._head = Chain(new_view(first, key))
        self._base = self._head.fork()
        self._mid: Chain | None = None
        self._mid_at = 0
        self._tail: list[Stored] = []
        self._keys: list[Any] = []
        self._base_key: Any = None
        self._last_key: Any = None
        self._dirty = False

    @property
    def tail_events(self) -> int:
        """How many events this track keeps in memory."""
        return len(self._tail)

    def add(self, stored: Stored, *, numbered: bool, max_events: int) -> Verdict:
        """Take one event, in any order; `numbered` says that its identity is its `seq`."""
        seen = self.seen
        identity = stored.identity
        if not (seen.add_seq(identity) if numbered else seen.add_hash(identity)):
            self.duplicates += 1
            return Verdict.DUPLICATE
        if self.count >= max_events:
            return Verdict.FULL
        self.count += 1
        key = order_key(stored)
        if self._last_key is None or key > self._last_key:
            self._last_key = key
            self._tail.append(stored)
            self._keys.append(key)
            if not self._dirty:
                if self.explicit:
                    apply(self._head.current, stored, self._limits)
                else:
                    self._step(self._head, stored)
            return Verdict.APPLIED
        if self._base_key is not None and key < self._base_key:
            self.late = True
            return Verdict.LATE
        at = bisect_right(self._keys, key)
        self._tail.insert(at, stored)
        self._keys.insert(at, key)
        if at < self._mid_at:
            self._mid_at += 1
        self._dirty = True
        return Verdict.APPLIED

    def take_back(self, event: Event) -> None:
        """Undo what was begun with an event that the fold failed on; it stays seen."""
        if self._tail and self._tail[-1].event is event:
            del self._tail[-1], self._keys[-1]
            self._last_key = self._keys[-1] if self._keys else self._base_key
            self.count -= 1
            self._dirty = True

    def roll(self, *, tail_ms: int, tail_events: int, as_of_ms: int) -> None:
        """Let the base follow, so that the tail holds between one and two tail lengths."""
        recent = len(self._tail) - self._mid_at
        if self._mid is not None and recent < tail_events:
            oldest = self._tail[self._mid_at].received_at if recent else as_of_ms
            if as_of_ms - oldest < tail_ms:
                return
        if self._dirty:
            self._refold()
        if self._mid is not None:
            self._base = self._mid
            self._base_key = self._keys[self._mid_at - 1] if self._mid_at else self._base_key
            del self._tail[: self._mid_at], self._keys[: self._mid_at]
            del self._head.closed[: len(self._base.closed)]  # they cannot change any more
            self._base.closed.clear()
        self._mid = self._head.fork()
        self._mid_at = len(self._tail)

    def settle(self) -> None:
        """Forget the tail of a view that went silent: the head is the base."""
        if self._dirty:
            self._refold()
        self._head.closed.clear()
        self._base = self._head
        self._head = self._base.fork()
        self._base_key = self._last_key
        self._mid = None
        self._mid_at = 0
        self._tail.clear()
        self._keys.clear()

    def rows(self, as_of_ms: int) -> list[ViewRow]:
        """Return the newest row of every view of this key that may have changed."""
        if self._dirty:
            self._refold()
        rows = [finish(view, as_of_ms, self._limits) for view in self._head.closed]
        row = finish(self._head.current, as_of_ms, self._limits)
        row.duplicates = self.duplicates
        self.closed = row.final
        if not row.final:
            row.state = self._snapshot()
        rows.append(row)
        self.due_ms = due(self._head.current, self._limits, as_of_ms)
        return rows

    def replay(self, events: list[Stored]) -> None:
        """Fold stored events, in any order and possibly repeated, into this fresh track."""
        fresh = []
        for stored in events:
            if has_seq(stored.event):
                new = self.seen.add_seq(stored.identity)
            else:
                new = self.seen.add_hash(stored.identity)
            if new:
                fresh.append((order_key(stored), stored))
        fresh.sort(key=lambda pair: pair[0])
        for key, stored in fresh:
            try:
                self._step(self._head, stored)
            except Exception:  # noqa: BLE001 (stored once, so it would stop the worker for good)
                _LOG.exception("event_not_folded", offset=stored.offset, index=stored.index)
            self._last_key = key
        self.count = len(fresh)
        self._base = self._head.fork()
        self._base_key = self._last_key

    @classmethod
    def restore(cls, key: str, state: str, limits: Limits) -> "Track":
        """Return the track whose newest row carried `state`."""
        image = msgspec.msgpack.decode(_INFLATE.decompress(base64.b64decode(state)), type=Snapshot)
        track = cls(key, image.view.view_id, explicit=image.explicit, limits=limits)
        track._head = Chain(image.view, image.ordinal)
        track._base = track._head.fork()
        track.seen = Seen.of(image.seen)
        track.duplicates = image.duplicates
        track.count = image.count
        track._last_key = track._base_key = _as_tuple(image.last_key)
        return track

    def _step(self, chain: Chain, stored: Stored) -> None:
        if not self.explicit and cuts(chain.current, stored, self._limits):
            cut_off(chain.current, stored, self._limits)
            chain.closed.append(chain.current)
            chain.ordinal += 1
            chain.current = new_view(derived_id(self.key, chain.ordinal), self.key)
        apply(chain.current, stored, self._limits)

    def _refold(self) -> None:
        head = self._base.fork()
        for at, stored in enumerate(self._tail):
            if at == self._mid_at and self._mid is not None:
                self._mid = head.fork()
            self._step(head, stored)
        if self._mid is not None and self._mid_at == len(self._tail):
            self._mid = head.fork()
        self._head = head
        self._dirty = False

    def _snapshot(self) -> str:
        image = Snapshot(
            view=self._head.current,
            explicit=self.explicit,
            ordinal=self._head.ordinal,
            seen=self.seen.image(),
            duplicates=self.duplicates,
            count=self.count,
            last_key=list(self._last_key),
        )
        return base64.b64encode(_DEFLATE.compress(_PACK.encode(image))).decode()


_PACK = msgspec.msgpack.Encoder()
_DEFLATE = zstandard.ZstdCompressor(level=1)
_INFLATE = zstandard.ZstdDecompressor()


def _as_tuple(value: Any) -> Any:
    """Undo what MessagePack does to nested tuples, so that order keys compare as before."""
    if isinstance(value, list):
        return tuple(_as_tuple(item) for item in value)
    return value
