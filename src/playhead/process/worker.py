"""The worker's main loop: read a range of the log, fold it, store it, go on where it left off."""

import gc
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from playhead.clock import Clock
from playhead.config import Config
from playhead.errors import OffsetGone, PlayheadError, Unavailable
from playhead.log.base import Log, Record
from playhead.log.offsets import Ledger
from playhead.model.event_row import Stored
from playhead.model.rollup import Layout
from playhead.observe import counter, gauge, logger
from playhead.process.caps import Caps
from playhead.process.folder import Folded, Folder
from playhead.process.loader import Loader, Stopped
from playhead.process.recall import Recall
from playhead.process.tracks import Tracks
from playhead.store.client import StoreClient
from playhead.store.rollup import Rollups
from playhead.store.upkeep import optimize_closed_days

RECORDS_PER_READ = 4_096
BUSY_EVENTS_PER_S = 25_000
"""From here on ranges gather for `BUSY_FLUSH_S`: the store's work a row falls by a quarter."""
BUSY_FLUSH_S = 0.5
IDLE_FIRST_S = 0.01
IDLE_MAX_S = 0.1
DISK_LOOK_S = 0.5
HOUSEKEEPING_S = 600.0
DROP_LOG_GAP = "log_gap"
"""Events of segments that were removed before they were read."""

T = TypeVar("T")
_LOG = logger("worker")
_EVENTS = counter(
    "worker_events", "Events taken from the log, by what became of them", ("outcome",)
)
_OPEN = gauge("worker_open_views", "Views in memory")


class Worker:
    """Carries the log into the store until told to stop."""

    def __init__(
        self,
        config: Config,
        log: Log,
        store: StoreClient,
        ledger: Ledger,
        clock: Clock,
        *,
        rollup: Layout | None = None,
    ) -> None:
        self._config = config
        self._log = log
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._stop = threading.Event()
        self._tracks = Tracks(config.process, internal_viewers=config.collect.internal_viewers)
        self._caps = Caps(config.process.max_values_per_dimension)
        self._recall = Recall(store)
        self._folder = Folder(
            self._tracks, self._lookup, self._caps, cdn_hosts=config.collect.cdn_hosts
        )
        self._loader = Loader(store, ledger, clock)
        self._lane = ThreadPoolExecutor(1, "loader")
        self._kept_house_s = 0.0
        self._upkeep: threading.Thread | None = None
        values_max = config.process.max_rollup_values
        self._rollups = Rollups(store, rollup, values_max=values_max) if rollup else None

    def stop(self) -> None:
        """Finish the range in hand and return from `run`."""
        self._stop.set()
        self._loader.stop()

    def run(self) -> None:
        """Work until stopped: one range is folded while the one before it is being stored."""
        if not self._wait_for_store():
            return
        try:
            position = self._resume()
            self._ledger.note(heard_at_ms=self._clock.now_ms())
            self._loop(position)
        except Stopped:
            _LOG.info("worker_stopped_early", position=self._ledger.position())
        finally:
            self._lane.shutdown(wait=True)

    def _loop(self, position: int) -> None:
        storing: Future[None] | None = None
        idle_s = IDLE_FIRST_S
        began_s = self._clock.monotonic_s()
        while not self._stop.is_set():
            self._wait_for_disk()
            cycle_s = -began_s + (began_s := self._clock.monotonic_s())
            records = self._read(position)
            if not records:
                if storing is not None:
                    storing.result()
                    storing = None
                self._keep_house()
                self._stop.wait(idle_s)
                idle_s = min(idle_s * 2, IDLE_MAX_S)
                continue
            idle_s = IDLE_FIRST_S
            self._keep_house()
            folded = self._folder.fold(records)
            if storing is not None:
                storing.result()
            storing = self._lane.submit(self._store_range, folded)
            if folded.late or folded.overflowed:
                storing.result()
            position = folded.next
            self._rest(records, began_s, cycle_s)
        if storing is not None:
            storing.result()

    def _rest(self, records: list[Record], began_s: float, cycle_s: float) -> None:
        """Let the next range gather: longer while much comes in, for small inserts cost most.

        Args:
            records: The range now being stored; it gathered in `cycle_s`.
            began_s: When it was read (monotonic).
            cycle_s: How long after the range before it.
        """
        flush_s = self._config.process.flush_ms / 1000
        if sum(record.events for record in records) >= BUSY_EVENTS_PER_S * cycle_s:
            flush_s = max(flush_s, BUSY_FLUSH_S)
        self._stop.wait(max(0.0, flush_s - (self._clock.monotonic_s() - began_s)))

    def _resume(self) -> int:
        """Take up the open views, repeat what was intended; return the offset to go on from."""
        position = self._not_before_the_log(self._ledger.position())
        self._until_answered(lambda: self._recall.values(self._caps))
        self._until_answered(lambda: self._recall.open_tracks(self._tracks, position))
        for intent in self._ledger.intents():
            _LOG.info("range_repeated", first=intent.first, next=intent.next)
            try:
                records = self._exactly(intent.first, intent.next)
            except OffsetGone as error:
                return self._step_over(error)
            folded = self._folder.fold(records)
            self._store_range(folded)
            position = folded.next
        return position

    def _not_before_the_log(self, position: int) -> int:
        """Step over what retention or a hand removed before it was read, and say so."""
        try:
            self._log.read(position, max_records=1, max_bytes=1)
        except OffsetGone as error:
            return self._step_over(error)
        return position

    def _step_over(self, gap: OffsetGone) -> int:
        """Go on behind a gap of the log; a range that was begun can never be repeated."""
        for intent in self._ledger.intents():
            self._ledger.advance(intent.next)
        go_on = max(gap.next_offset, self._ledger.position())
        counted = sum(self._ledger.counts().values())
        lost = max(0, self._log.events_before(go_on) - counted)
        _LOG.error("log_gap", reason=gap.message, go_on_at=go_on, events_lost=lost)
        self._ledger.advance(go_on, {f"dropped:{DROP_LOG_GAP}": lost})
        return go_on

    def _exactly(self, first: int, stop: int) -> list[Record]:
        records: list[Record] = []
        while first + len(records) < stop:
            more = self._log.read(
                first + len(records),
                max_records=stop - first - len(records),
                max_bytes=self._config.process.batch_bytes,
            )
            records.extend(more)
            if not more and self._stop.wait(IDLE_MAX_S):
                raise Stopped
        return records

    def _read(self, position: int) -> list[Record]:
        """Return the next range: as many records as make one batch of events."""
        limits = self._config.process
        try:
            records = self._log.read(
                position, max_records=RECORDS_PER_READ, max_bytes=limits.batch_bytes
            )
        except Unavailable as error:
            _LOG.warning("log_refused", code=error.code, reason=error.message)
            self._stop.wait(error.retry_after_s)
            return []
        events = 0
        for at, record in enumerate(records):
            events += record.events
            if events >= limits.batch_events:
                return records[: at + 1]
        return records

    def _store_range(self, folded: Folded) -> None:
        self._loader.load(folded, self._folder.refold)
        for outcome, count in folded.counts.items():
            _EVENTS.labels(outcome).inc(count)
        _OPEN.set(len(self._tracks))
        try:
            self._ledger.note(
                as_of_ms=folded.as_of_ms,
                heard_at_ms=self._clock.now_ms(),
                open_views=len(self._tracks),
                capped=msgspec.json.encode(self._caps.capped).decode(),
                last_error=self._loader.last_error,
            )
        except Unavailable as error:  # a full disk; the range itself is stored and recorded
            _LOG.warning("note_not_kept", code=error.code, reason=error.message)

    def _lookup(self, keys: list[str], before_offset: int) -> dict[str, list[Stored]]:
        return self._until_answered(lambda: self._recall.events(keys, before_offset))

    def _until_answered(self, ask: Callable[[], T]) -> T:
        while True:
            try:
                return ask()
            except PlayheadError as error:
                _LOG.warning("store_refused", code=error.code, reason=error.message)
                if self._stop.wait(0.5):
                    raise Stopped from error

    def _wait_for_store(self) -> bool:
        while not self._stop.is_set():
            if self._store.ping():
                return True
            self._stop.wait(0.1)
        return False

    def _wait_for_disk(self) -> None:
        """Stand still below the free-space floor, merges too: a full disk breaks what is written.

        Looked at before every range, for others may fill the disk in a moment.
        """
        if self._disk_free():
            return
        floor = self._config.log.free_space_floor_bytes
        _LOG.error("disk_low", floor_bytes=floor, kept="the log; loading resumes by itself")
        self._try_command("SYSTEM STOP MERGES")
        while not self._disk_free() and not self._stop.wait(DISK_LOOK_S):
            pass
        self._try_command("SYSTEM START MERGES")
        _LOG.info("disk_free", floor_bytes=floor)

    def _disk_free(self) -> bool:
        free = shutil.disk_usage(self._config.data_dir).free
        return free >= self._config.log.free_space_floor_bytes

    def _try_command(self, sql: str) -> None:
        """Run a command that may fail: a store that restarts merges again by itself."""
        try:
            self._store.command(sql)
        except PlayheadError as error:
            _LOG.warning("store_refused", code=error.code, reason=error.message)

    def _keep_house(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._kept_house_s < HOUSEKEEPING_S:
            return
        self._kept_house_s = now_s
        gc.collect()  # switched off while working; errors and their traces may leave cycles
        if self._upkeep is None or not self._upkeep.is_alive():
            # Beside the work, for merging a large day takes minutes; not waited for at the end.
            self._upkeep = threading.Thread(target=self._optimize, name="upkeep", daemon=True)
            self._upkeep.start()

    def _optimize(self) -> None:
        try:
            today = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).date()
            optimize_closed_days(self._store, today)
            if self._rollups is not None:
                self._rollups.make(today, days_max=self._config.process.rollup_days_per_round)
        except (PlayheadError, RuntimeError) as error:  # the client was closed meanwhile
            _LOG.warning("housekeeping_failed", reason=str(error))
