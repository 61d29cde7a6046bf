"""One view key in memory: the fold so far, its recent events, and what has been seen.

The newest state (`head`) grows by one `apply` an event. Behind it stand two older copies, `base`
and `mid`, and `tail`, the sorted events since `base`: an event that comes out of order is put in
its place and the head folded again from `base`, so order of arrival never shows in the row. What is
older than `base` cannot be put in place here; the track says LATE and is folded again from the store.

CMCD reports of a view that another door tells of, too, have a track of their own beside the other
(see `fold/witness.py`): each has its own order, so neither makes the other late.
"""

from bisect import bisect_right
from collections.abc import Callable
from enum import Enum
from typing import Any

from playhead.model.event import Event
from playhead.model.event_row import Stored
from playhead.model.view import ViewRow
from playhead.observe import logger
from playhead.process.fold import (
    CMCD,
    Limits,
    ViewState,
    apply,
    cmcd_speaks,
    cut_off,
    cuts,
    cuts_content,
    derived_id,
    due,
    finish,
    fork,
    named_id,
    new_view,
    order_key,
    successor,
    unite,
)
from playhead.process.identity import has_seq
from playhead.process.seen import Seen
from playhead.process.snapshot import Snapshot, pack, unpack

_LOG = logger("worker")


class Verdict(Enum):
    """What became of an event given to a track."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    LATE = "late"
    """New, but older than what is kept in memory: fold the view again from stored events."""
    FULL = "full"
    """The view already holds as many events as one view may."""


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
        "_beside",
        "_cmcd",
        "_cuts",
        "_dirty",
        "_head",
        "_keys",
        "_last_key",
        "_limits",
        "_mid",
        "_mid_at",
        "_tail",
        "_view_id",
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
        self._view_id = view_id
        self._cmcd = False
        self._cuts: Callable[[ViewState, Stored, Limits], bool] | None = None if explicit else cuts
        self._beside: Track | None = None
        self._head = Chain(new_view(self._name(0), key))
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
        beside = self._beside
        return len(self._tail) + (0 if beside is None else beside.tail_events)

    def add(self, stored: Stored, *, numbered: bool, max_events: int) -> Verdict:
        """Take one event, in any order; `numbered` says that its identity is its `seq`."""
        if (stored.door == CMCD) is not self._cmcd and self.explicit:
            if not self.count and self._beside is None:
                self._hear()
            else:
                return self._add_mixed(stored, numbered=numbered, max_events=max_events)
        elif self._beside is not None:
            return self._add_mixed(stored, numbered=numbered, max_events=max_events)
        return self.add_own(stored, numbered=numbered, max_events=max_events)

    def _hear(self) -> None:
        """Take the CMCD reports, or (an empty track) the events of the other doors."""
        self._cmcd = not self._cmcd
        self._cuts = cuts_content if self._cmcd else None

    def _add_mixed(self, stored: Stored, *, numbered: bool, max_events: int) -> Verdict:
        """Take an event of a view with two witnesses: each has a track of its own."""
        if self._beside is None:
            self._beside = self._fresh_beside()
        own = (stored.door == CMCD) is self._cmcd
        track, other = (self, self._beside) if own else (self._beside, self)
        verdict = track.add_own(stored, numbered=numbered, max_events=max_events - other.count)
        if verdict is Verdict.DUPLICATE and not own:
            self.duplicates += 1
        if verdict is Verdict.APPLIED and numbered and other.stop_cutting():
            verdict = Verdict.LATE
        self.late = self.late or verdict is Verdict.LATE
        return verdict

    def _fresh_beside(self) -> "Track":
        beside = Track(self.key, self._view_id, explicit=True, limits=self._limits)
        if not self._cmcd:
            beside._hear()
            if self.seen.numbered:
                beside._cuts = None
        return beside

    def stop_cutting(self) -> bool:
        """Hold all reports for one view from now on; return whether the past is cut for good."""
        if self._cuts is None:
            return False
        self._cuts = None
        self._dirty = True
        return self._base.ordinal > 0

    def add_own(self, stored: Stored, *, numbered: bool, max_events: int) -> Verdict:
        """Take one event, whichever door it came by."""
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
                if self._cuts is None:
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
        if self._beside is not None:
            self._beside.take_back(event)
        if self._tail and self._tail[-1].event is event:
            del self._tail[-1], self._keys[-1]
            self._last_key = self._keys[-1] if self._keys else self._base_key
            self.count -= 1
            self._dirty = True

    def roll(self, *, tail_ms: int, tail_events: int, as_of_ms: int) -> None:
        """Let the base follow, so that the tail holds between one and two tail lengths."""
        if self._beside is not None:
            self._beside.roll(tail_ms=tail_ms, tail_events=tail_events, as_of_ms=as_of_ms)
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
        if self._beside is not None:
            self._beside.settle()
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
        rows, chain = self.finished(as_of_ms)
        if self._beside is not None:
            rows, chain = self._united(rows, chain, as_of_ms)
        row = rows[-1]
        row.duplicates = self.duplicates
        self.closed = row.final
        if not row.final:
            row.state = pack(self.snapshot())
        self.due_ms = due(chain.current, self._limits, as_of_ms)
        return rows

    def finished(self, as_of_ms: int) -> tuple[list[ViewRow], Chain]:
        """Return the rows by this track's own events, and the views they are made of."""
        if self._dirty:
            self._refold()
        chain = self._head
        rows = [finish(view, as_of_ms, self._limits) for view in chain.closed]
        rows.append(finish(chain.current, as_of_ms, self._limits))
        return rows, chain

    def _united(
        self, rows: list[ViewRow], chain: Chain, as_of_ms: int
    ) -> tuple[list[ViewRow], Chain]:
        """Return the rows of the witness that speaks, filled with what the other one knows."""
        beside = self._beside
        assert beside is not None  # noqa: S101 (asked by the caller)
        others, other = beside.finished(as_of_ms)
        told, heard = (beside, chain) if self._cmcd else (self, other)
        numbered = told.seen.numbered
        if cmcd_speaks(heard.ordinal, heard.current, numbered=numbered) is not self._cmcd:
            rows, others, chain = others, rows, other
        unite(rows[-1], others[-1], as_of_ms, self._limits)
        return rows, chain

    def replay(self, events: list[Stored]) -> None:
        """Fold stored events, in any order and possibly repeated, into this fresh track."""
        if self.explicit and (heard := [one for one in events if one.door == CMCD]):
            if len(heard) == len(events):
                self._hear()
            else:
                told = [one for one in events if one.door != CMCD]
                self.replay_own(told)
                self._beside = self._fresh_beside()
                self._beside.replay_own(heard)
                return
        self.replay_own(events)

    def replay_own(self, events: list[Stored]) -> None:
        """Fold stored events into this fresh track, whichever door they came by."""
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
        return cls._of(key, unpack(state), limits)

    @classmethod
    def _of(cls, key: str, image: Snapshot, limits: Limits) -> "Track":
        view_id = image.view.view_id
        if image.cmcd:
            view_id = view_id.removesuffix(named_id("", image.ordinal))
        track = cls(key, view_id, explicit=image.explicit, limits=limits)
        if image.cmcd:
            track._hear()
            if not image.cutting:
                track._cuts = None
        if image.beside is not None:
            track._beside = cls._of(key, image.beside, limits)
        track._head = Chain(image.view, image.ordinal)
        track._base = track._head.fork()
        track.seen = Seen.of(image.seen)
        track.duplicates = image.duplicates
        track.count = image.count
        track._last_key = track._base_key = image.key()
        return track

    def _name(self, ordinal: int) -> str:
        return named_id(self._view_id, ordinal) if self.explicit else derived_id(self.key, ordinal)

    def _step(self, chain: Chain, stored: Stored) -> None:
        if self._cuts is not None and self._cuts(chain.current, stored, self._limits):
            cut_off(chain.current, stored, self._limits)
            chain.closed.append(chain.current)
            chain.ordinal += 1
            chain.current = successor(chain.current, self._name(chain.ordinal))
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

    def snapshot(self) -> Snapshot:
        """Return everything needed to go on with the newest view."""
        return Snapshot(
            view=self._head.current,
            explicit=self.explicit,
            ordinal=self._head.ordinal,
            seen=self.seen.image(),
            duplicates=self.duplicates,
            count=self.count,
            last_key=list(self._last_key or ()),
            cmcd=self._cmcd,
            cutting=self._cuts is not None,
            beside=None if self._beside is None else self._beside.snapshot(),
        )
