"""Whom the worker must not take up again: what a deletion was about, by its hashes.

What a player sent before the deletion may come once more behind it: a batch repeated after a lost
answer, or one from a phone that was offline. By its own time it lies before the deletion, so it is
dropped, counted as `forgotten`. What the same person does afterwards is new and counts. Only a view
that the client numbered itself and that was deleted stays closed for good: the rest of it alone
would be a view without a beginning.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

import msgspec

from playhead.model.event import Context, Event
from playhead.model.forgotten import KIND_SESSION, KIND_VIEW, KIND_VIEWER, digest_of
from playhead.observe import gauge
from playhead.process.identity import view_key_of
from playhead.process.unpack import QUARANTINE_COLUMNS, Unpacked
from playhead.store.client import Limits, StoreClient

DROP_FORGOTTEN: Final = "forgotten"
REMEMBERED_MAX: Final = 1_000_000
"""Hashes in memory, the newest; about 200 bytes each."""
_LATE_MS: Final = 7 * 86_400_000
"""So long after a deletion a refused event of theirs is taken for one sent again."""
_FOR_EVER: Final = 1 << 62
_PAGE_ROWS: Final = 50_000
_HASHED_MAX: Final = 65_536
_LIMITS: Final = Limits(timeout_ms=60_000)
_LOAD_SQL: Final = (
    "SELECT kind, property, digest, max(at_ms) AS at FROM playhead.forgotten"
    " GROUP BY kind, property, digest ORDER BY at DESC, digest LIMIT {most:UInt64} OFFSET {skip:UInt64}"
)
_BODY: Final = QUARANTINE_COLUMNS.index("body")
_PROPERTY: Final = QUARANTINE_COLUMNS.index("property")
_REMEMBERED = gauge("worker_forgotten", "Hashes of deleted viewers, sessions and views in memory")

EventTime = Callable[[Event, int], int]
"""Given an event and when it was received (UTC ms): when it happened."""


class _Named(msgspec.Struct):
    """Who a refused event says it is from, as far as that can be read."""

    viewer: str | int | float | None = msgspec.field(name="viewerId", default=None)


class Forgotten:
    """Everybody forgotten so far; empty in most installations, and then free of cost."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], int] = {}
        self._use("")

    def __len__(self) -> int:
        return len(self._known)

    def load(self, store: StoreClient, key: str) -> None:
        """Read all that is remembered; raises as `StoreClient.rows`.

        Args:
            store: The store.
            key: Under which ids are hashed, "" = nobody was forgotten yet.
        """
        self._use(key)
        known: dict[tuple[str, str, str], int] = {}
        while key and len(known) < REMEMBERED_MAX:
            bound = {"most": _PAGE_ROWS, "skip": len(known)}
            rows = store.rows(_LOAD_SQL, bound, limits=_LIMITS).rows
            known |= {(kind, where, digest): int(at) for kind, where, digest, at in rows}
            if len(rows) < _PAGE_ROWS:
                break
        self._known = known
        _REMEMBERED.set(len(known))

    def sift(self, items: Iterable[Unpacked], happened: EventTime) -> None:
        """Take out of records what is of the forgotten; it counts as dropped."""
        if not self._known:
            return
        for item in items:
            if item.events:
                self._sift_events(item, happened)
            if item.quarantined:
                self._sift_refused(item)

    def until(self, event: Event, context: Context) -> int | None:
        """Return until when (UTC ms) events of whoever sent this one are of the forgotten.

        None: they never are. A view that the client numbered itself stays so for ever.
        """
        key, explicit = view_key_of(event, context)
        of_view = self._until(KIND_VIEW, context.property, key)
        if of_view is not None and explicit:
            return _FOR_EVER
        if event.viewer_id:
            other = self._until(KIND_VIEWER, context.property, event.viewer_id)
        else:
            other = self._until(KIND_SESSION, context.property, event.session_id or "")
        found = [at_ms for at_ms in (of_view, other) if at_ms is not None]
        return max(found, default=None)

    def _sift_events(self, item: Unpacked, happened: EventTime) -> None:
        context, received_at = item.meta.context, item.record.received_at
        kept: list[tuple[int, Event]] = []
        whose: tuple[str | None, ...] | None = None
        until_ms: int | None = None
        for one in item.events:
            event = one[1]
            named = (event.view_id, event.session_id, event.viewer_id)
            if named != whose:  # nearly all events of a batch are of one view
                whose, until_ms = named, self.until(event, context)
            if until_ms is None or happened(event, received_at) > until_ms:
                kept.append(one)
        gone = len(item.events) - len(kept)
        if gone:
            item.dropped = [*item.dropped, *[DROP_FORGOTTEN] * gone]
            item.events = kept

    def _sift_refused(self, item: Unpacked) -> None:
        """Take out refused events of theirs that were sent again: their text would be kept."""
        kept = [row for row in item.quarantined if not self._names(row, item.record.received_at)]
        gone = len(item.quarantined) - len(kept)
        if gone:
            item.dropped = [*item.dropped, *[DROP_FORGOTTEN] * gone]
            item.quarantined, item.quarantined_count = kept, item.quarantined_count - gone

    def _names(self, row: tuple[Any, ...], received_at: int) -> bool:
        viewer = None
        with suppress(msgspec.MsgspecError, ValueError):
            viewer = msgspec.json.decode(row[_BODY].encode(), type=_Named).viewer
        if viewer is None:
            return False
        # When it happened cannot be trusted of what was refused; who comes back sends no faults.
        until_ms = self._until(KIND_VIEWER, row[_PROPERTY], str(viewer))
        return until_ms is not None and received_at <= until_ms + _LATE_MS

    def _until(self, kind: str, property_: str, value: str) -> int | None:
        digest = self._digest(value)
        found = self._known.get((kind, property_, digest))
        anywhere = self._known.get((kind, "", digest)) if property_ else None
        if found is None or anywhere is None:
            return found if anywhere is None else anywhere
        return max(found, anywhere)

    def _use(self, key: str) -> None:
        self._key = key
        self._digest = lru_cache(_HASHED_MAX)(lambda value: digest_of(key, value))
