"""How far the worker is behind the log, and whether every event is accounted for."""

import contextlib
import os
from pathlib import Path
from typing import Any

import msgspec

from playhead.errors import PlayheadError
from playhead.serve.services import Services

_READS_MAX = 5
_DROPPED = "dropped:"


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """A moment of the pipeline. `reason` says why it could not be read, if it could not."""

    now_ms: int
    next_offset: int = 0
    position: int = 0
    in_events: int = 0
    pending_events: int = 0
    newest_received_at: int = 0
    """Receipt of the newest event."""
    as_of_ms: int = 0
    heard_at_ms: int = 0
    counts: dict[str, int] = {}
    notes: dict[str, str] = {}
    reason: str = ""

    @property
    def pending_records(self) -> int:
        """Return how many records of the log are not in the store yet."""
        return max(0, self.next_offset - self.position)

    @property
    def freshness_ms(self) -> int | None:
        """Return 0 when everything in the log is in the store, else the age of the newest that is.

        None: nothing has been stored yet, or it cannot be told.
        """
        if self.reason:
            return None
        if not self.pending_records:
            return 0
        return max(0, self.now_ms - self.as_of_ms) if self.as_of_ms else None

    @property
    def dropped(self) -> dict[str, int]:
        """Return the dropped events by reason."""
        found = {
            k.removeprefix(_DROPPED): n for k, n in self.counts.items() if k.startswith(_DROPPED)
        }
        return dict(sorted(found.items()))

    @property
    def accounted(self) -> int:
        """Return the events that reached an end: stored, quarantined, dropped or duplicates."""
        ended = ("stored", "quarantined", "duplicates")
        return sum(self.counts.get(name, 0) for name in ended) + sum(self.dropped.values())

    @property
    def equation_holds(self) -> bool:
        """Return whether in = stored + quarantined + dropped + duplicates + pending."""
        return not self.reason and self.in_events == self.accounted + self.pending_events


def pipeline_of(services: Services) -> Pipeline:
    """Return the pipeline as it is now; blocks for a few small reads of SQLite."""
    now_ms = services.clock.now_ms()
    try:
        return _read(services, now_ms)
    except PlayheadError as error:
        return Pipeline(now_ms=now_ms, reason=error.message)


def _read(services: Services, now_ms: int) -> Pipeline:
    ledger, log = services.ledger, services.log
    position, counts = ledger.position(), ledger.counts()
    for _ in range(_READS_MAX):
        # Position and counters change in one commit: read again until nothing came between.
        again = ledger.position()
        if again == position:
            break
        position, counts = again, ledger.counts()
    bounds, notes = log.bounds(), ledger.notes()
    before = log.events_before(position) if position < bounds.next else bounds.events_total
    newest = bounds.newest_received_at
    if before == bounds.events_total:  # what came since then only tells the time
        newest = _number(notes, "event_at_ms") or newest
    return Pipeline(
        now_ms=now_ms,
        next_offset=bounds.next,
        position=position,
        in_events=bounds.events_total,
        pending_events=bounds.events_total - before,
        newest_received_at=newest,
        as_of_ms=_number(notes, "as_of_ms"),
        heard_at_ms=_number(notes, "heard_at_ms"),
        counts=counts,
        notes=notes,
    )


def folder_bytes(folder: Path) -> int:
    """Return how much disk a folder's files take; files that vanish meanwhile count as nothing."""
    total = 0
    # Unlike `rglob`, this goes on when a folder vanishes while it is read: the store's do, at any time.
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(parent, name).stat().st_blocks * 512
    return total


def processes_of(folder: Path, now_ms: int) -> dict[str, Any]:
    """Return by role when a process started, how old it is and how often it was started again."""
    return {
        role: {
            "pid": one.pid,
            "age_ms": max(0, now_ms - one.started_at_ms) if one.started_at_ms else None,
            "restarts": one.restarts,
        }
        for role, one in _listed(folder).items()
    }


def restarts_of(folder: Path, *, since_ms: int) -> dict[str, list[int]]:
    """Return by role when a process was started again since a time (UTC ms)."""
    found = {
        role: [at for at in one.restarted_at_ms if at >= since_ms]
        for role, one in _listed(folder).items()
    }
    return {role: at for role, at in found.items() if at}


def _listed(folder: Path) -> "dict[str, _Process]":
    """Return what the supervisor wrote down of its processes; nothing without a supervisor."""
    try:
        text = (folder / "run" / "processes.json").read_bytes()
        return msgspec.json.decode(text, type=dict[str, _Process])
    except (OSError, msgspec.DecodeError):
        return {}


class _Process(msgspec.Struct):
    pid: int | None = None
    started_at_ms: int = 0
    restarts: int = 0
    restarted_at_ms: list[int] = []


def _number(notes: dict[str, str], name: str) -> int:
    text = notes.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else 0
