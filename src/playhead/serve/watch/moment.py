"""A moment of the server, as the rules of the watchdog see it, and what is kept of earlier ones."""

import msgspec

from playhead.serve.pipeline import Pipeline
from playhead.serve.space.outlook import Outlook
from playhead.serve.watch.backups import BackupState
from playhead.serve.watch.engine import EngineHealth

_ENDS = ("stored", "quarantined", "duplicates")
VIEW_FAILED = "view_failed"
"""Counts rows that are in their table but not in a materialized view behind it."""


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted up to a moment; the difference of two is what came between them."""

    at_ms: int
    pending: int = 0
    ended: int = 0
    quarantined: int = 0
    view_failed: int = 0
    dropped: dict[str, int] = {}
    requests: int = 0
    refused: int = 0
    codes: dict[str, int] = {}


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A moment of the server. What was found wrong before this look lasts for `…_ms` now."""

    pipeline: Pipeline
    tally: Tally
    started_at_ms: int = 0
    outlook: Outlook | None = None
    """How the disk fares."""
    store_silent_ms: int = 0
    unbalanced_ms: int = 0
    unread_ms: int = 0
    engine: EngineHealth | None = None
    backup: BackupState | None = None
    """None: none are made by themselves."""
    restarted_at_ms: dict[str, list[int]] = {}
    """When processes were started again within the last hour, by role."""


def tally_of(pipeline: Pipeline, requests: dict[str, int], codes: dict[str, int]) -> Tally:
    """Return what was counted up to now.

    Args:
        pipeline: The worker's counters.
        requests: Requests at the doors by status.
        codes: Refusals by code.
    """
    counts = pipeline.counts
    dropped = pipeline.dropped
    return Tally(
        at_ms=pipeline.now_ms,
        pending=pipeline.pending_events,
        ended=sum(counts.get(name, 0) for name in _ENDS) + sum(dropped.values()),
        quarantined=counts.get("quarantined", 0),
        view_failed=counts.get(VIEW_FAILED, 0),
        dropped=dropped,
        requests=sum(requests.values()),
        refused=sum(number for status, number in requests.items() if status >= "400"),
        codes=codes,
    )


def grown(now: dict[str, int], then: dict[str, int]) -> dict[str, int]:
    """Return what came to each counter, the most first; those that stand still are left out."""
    found = {name: number - then.get(name, 0) for name, number in now.items()}
    return dict(sorted(((n, v) for n, v in found.items() if v > 0), key=lambda pair: -pair[1]))
