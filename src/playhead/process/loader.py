"""Into the store, exactly once: an intent on disk, then blocks with a token, then the advance.

After a crash the same range is rebuilt from the log with the same boundaries and inserted again
under the same tokens: what the store has is skipped, what it lacks is added (design, decision 4).
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from playhead.clock import Clock
from playhead.errors import PlayheadError
from playhead.log.offsets import Intent, Ledger
from playhead.model import event_row, view
from playhead.model.view import ViewRow
from playhead.observe import counter, histogram, logger
from playhead.process.folder import Folded
from playhead.process.unpack import QUARANTINE_COLUMNS
from playhead.store.client import StoreClient

RETRY_FIRST_S = 0.1
RETRY_MAX_S = 5.0

T = TypeVar("T")
_LOG = logger("loader")
_ENCODER = msgspec.json.Encoder()
_ROWS = counter("loader_rows", "Rows inserted into the store", ("table",))
_RETRIES = counter("loader_insert_retries", "Inserts repeated because the store did not answer")
_SECONDS = histogram(
    "loader_range_seconds",
    "Time to store one range of the log",
    buckets=(0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0),
)


class Stopped(Exception):  # noqa: N818 (control flow, not an error)
    """The worker is stopping; the range stays intended and is repeated at the next start."""


class Loader:
    """Stores folded ranges in order and remembers how far it came."""

    def __init__(self, store: StoreClient, ledger: Ledger, clock: Clock) -> None:
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._stop = threading.Event()
        self._said = ""

    @property
    def last_error(self) -> str:
        """What the store or the ledger refused last; empty if nothing ever was."""
        return self._said

    def stop(self) -> None:
        """Give up repeating; the range in hand stays intended."""
        self._stop.set()

    def load(self, folded: Folded, refold: Callable[[list[str], int], list[ViewRow]]) -> None:
        """Store one range; return when it is stored and recorded.

        Raises:
            Stopped: `stop` was called while the store did not answer.
        """
        began = self._clock.monotonic_s()
        span = f"{folded.first}-{folded.next}"
        intent = Intent(folded.first, folded.next, folded.as_of_ms)
        if intent not in self._ledger.intents():
            self._until_done(lambda: self._ledger.intend(intent))
        self._insert("events", event_row.COLUMNS, folded.events, span)
        self._insert("quarantine", QUARANTINE_COLUMNS, folded.quarantine, span)
        rows = folded.views
        if folded.late:
            rows = rows + self._until_done(lambda: refold(folded.late, folded.next))
        self._insert("views", view.COLUMNS, rows, span)
        self._until_done(lambda: self._ledger.advance(folded.next, folded.counts))
        _SECONDS.observe(self._clock.monotonic_s() - began)

    def _insert(self, table: str, columns: tuple[str, ...], rows: Sequence[Any], span: str) -> None:
        if not rows:
            return
        body = _ENCODER.encode_lines(rows)
        token = f"{table}:{span}"
        self._until_done(lambda: self._store.insert(table, columns, body, token=token))
        _ROWS.labels(table).inc(len(rows))

    def _until_done(self, act: Callable[[], T]) -> T:
        """Repeat until the store takes it: what is in the log is never given up."""
        wait_s = RETRY_FIRST_S
        while True:
            try:
                return act()
            except PlayheadError as error:
                _RETRIES.inc()
                _LOG.warning("store_refused", code=error.code, reason=error.message)
                self._said = f"{error.code}: {error.message}"
            if self._stop.wait(wait_s):
                raise Stopped
            wait_s = min(wait_s * 2, RETRY_MAX_S)
