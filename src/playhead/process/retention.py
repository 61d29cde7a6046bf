"""How large tables may be: which limits hold today, and the book of what went because of them."""

import threading
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final

import msgspec

from playhead.clock import Clock
from playhead.config import Config
from playhead.errors import PlayheadError, Unavailable
from playhead.log.offsets import Ledger
from playhead.observe import logger
from playhead.record.tables import service_days
from playhead.store.client import StoreClient
from playhead.store.schema import days_kept
from playhead.store.upkeep import Removed, SizeLimit, drop_expired, keep_sizes

NOTE: Final = "retention_removed"
"""The note of the ledger that adds up what went: table to rows, bytes, days and when."""
DAY_MS: Final = 86_400_000
ROOM_EVERY_S: Final = 60.0
_LOG = logger("worker")


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """What went of a table since the data folder was made, because of its size."""

    rows: int = 0
    bytes: int = 0
    days: int = 0
    last_day: str = ""
    """The newest day that went."""
    at_ms: int = 0


def byte_limits(config: Config) -> dict[str, int]:
    """Return by table how large it may be; 0 = no limit."""
    own = config.retention
    return {
        "playhead.events": own.event_bytes,
        "playhead.views": own.view_bytes,
        "playhead.quarantine": own.quarantine_bytes,
        "playhead.cdn_requests": own.cdn_request_bytes,
        "playhead.cdn_minutes": own.cdn_minute_bytes,
        "playhead.stream_frames": own.frame_bytes,
        **dict.fromkeys(service_days(), own.service_table_bytes),
    }


def size_limits(config: Config, *, today: date) -> list[SizeLimit]:
    """Return the limits of tables.

    Args:
        config: The settings.
        today: The day the worker is at: what it has not loaded yet is of this day or later.
    """
    yesterday = today - timedelta(days=1)
    # An event that comes late joins the stored events of its view; without them it would be another
    # view, and the row of that one would count as well.
    settled = yesterday - timedelta(days=-(-config.collect.max_event_age_ms // DAY_MS))
    stays = {"playhead.events": settled, "playhead.views": settled}
    stays |= dict.fromkeys(service_days(), today)
    return [
        SizeLimit(
            table=table,
            bytes_max=most,
            stays_from=stays.get(table, yesterday),
            day=service_days().get(table, ""),
        )
        for table, most in byte_limits(config).items()
    ]


def gone_of(notes: Mapping[str, str]) -> dict[str, Gone]:
    """Return what went by table, from the notes of the ledger; nothing where they cannot be read."""
    try:
        return msgspec.json.decode(notes.get(NOTE, "{}"), type=dict[str, Gone])
    except msgspec.DecodeError:
        return {}


class SizeKeeper:
    """Keeps tables within their sizes, and the book of it; threads may share it, one is at it."""

    def __init__(self, config: Config, store: StoreClient, ledger: Ledger, clock: Clock) -> None:
        self._config = config
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._room_at_s = 0.0
        self._turn = threading.Lock()

    def keep(self, *, is_merging: bool = True) -> None:
        """Remove what is too much; nothing while the worker has stored nothing, or another thread is at it.

        Args:
            is_merging: Whether the engine merges: where it does not, nothing waits for it.

        Raises:
            PlayheadError: The store refused; what went until then is in the book.
        """
        # Never waited for: the other may wait for merges, which go on when the caller does.
        if not self._turn.acquire(blocking=False):
            return
        try:
            self._keep(is_merging=is_merging)
        finally:
            self._turn.release()

    def _keep(self, *, is_merging: bool) -> None:
        text = self._ledger.notes().get("as_of_ms", "")
        if not text.isdigit():
            return
        today = _day_of(min(int(text), self._clock.now_ms()))
        limits = size_limits(self._config, today=today)
        for removed in keep_sizes(self._store, limits, is_merging=is_merging):
            self._count(removed)

    def make_room(self) -> None:
        """Remove what would go anyway, now and then while the disk is below its floor.

        The engine does not merge then, so nothing expires by itself and no deletion of rows gets done:
        whoever waited for one would never let merges go on.
        """
        now_s = self._clock.monotonic_s()
        if now_s < self._room_at_s:
            return
        self._room_at_s = now_s + ROOM_EVERY_S
        try:
            drop_expired(self._store, days_kept(self._config), _day_of(self._clock.now_ms()))
            self.keep(is_merging=False)
        except PlayheadError as error:
            _LOG.warning("no_room_made", code=error.code, reason=error.message)

    def _count(self, removed: Removed) -> None:
        book = gone_of(self._ledger.notes())
        before = book.get(removed.table, Gone())
        book[removed.table] = Gone(
            rows=before.rows + removed.rows,
            bytes=before.bytes + removed.bytes,
            days=before.days + len(removed.days),
            last_day=max(before.last_day, removed.days[-1]),
            at_ms=self._clock.now_ms(),
        )
        try:
            self._ledger.note(**{NOTE: msgspec.json.encode(book).decode()})
        except Unavailable as error:  # a full disk; the log line said it
            _LOG.warning("note_not_kept", code=error.code, reason=error.message)


def _day_of(ms: int) -> date:
    return datetime.fromtimestamp(ms / 1000, UTC).date()
