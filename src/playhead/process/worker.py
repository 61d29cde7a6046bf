"""The worker's main loop: read a range of the log, fold it, store it, go on where it left off."""

import gc
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from playhead.clock import Clock
from playhead.config import Config
from playhead.errors import OffsetGone, PlayheadError, Unavailable
from playhead.log.base import Log, Record
from playhead.log.offsets import JOB, Ledger
from playhead.model.event_row import Stored
from playhead.model.rollup import Layout
from playhead.observe import counter, gauge, logger
from playhead.process.caps import Caps
from playhead.process.commands import cut_at_commands
from playhead.process.folder import Folded, Folder
from playhead.process.forgetting import Forgetting
from playhead.process.forgotten import Forgotten
from playhead.process.holding import Hold, admitted
from playhead.process.loader import Loader, Stopped
from playhead.process.project_rows import VIEW_FAILED
from playhead.process.recall import Recall
from playhead.process.retention import SizeKeeper
from playhead.process.stamp import NOTE, stamp_of
from playhead.process.tracks import Tracks
from playhead.store.client import StoreClient
from playhead.store.purge import purge_some
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
HELD_UP_SAID_S = 1.0
"""How long rows wait for a build before the status says so."""
JOBS_COUNTED_MS = 90 * 86_400_000
"""So long the counts of a job are kept."""
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
        forgotten = Forgotten()
        self._forgetting = Forgetting(config.data_dir, store, self._tracks, forgotten)
        self._folder = Folder(
            self._tracks,
            self._lookup,
            self._caps,
            cdn_hosts=config.collect.cdn_hosts,
            forgotten=forgotten,
        )
        self._loader = Loader(store, ledger, clock, config.data_dir, forgetting=self._forgetting)
        self._held_up_s: float | None = None
        self._lane = ThreadPoolExecutor(1, "loader")
        self._kept_house_s = 0.0
        self._upkeep: threading.Thread | None = None
        values_max = config.process.max_rollup_values
        self._rollups = Rollups(store, rollup, values_max=values_max) if rollup else None
        self._sizes = SizeKeeper(config, store, ledger, clock)

    def stop(self) -> None:
        """Finish the range in hand and return from `run`."""
        self._stop.set()
        self._loader.stop()

    def run(self) -> None:
        """Work until stopped: one range is folded while the one before it is being stored."""
        if not self._wait_for_store():
            return
        self._try_command("SYSTEM START MERGES")  # one that was killed below the floor stopped them
        self._note(**{NOTE: stamp_of(self._tracks.limits)})
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
            records, hold = self._admitted(self._read(position))
            if not records:
                hold.release()
                if storing is not None:
                    storing.result()
                    storing = None
                self._keep_house()
                self._stop.wait(idle_s)
                idle_s = min(idle_s * 2, IDLE_MAX_S)
                continue
            idle_s = IDLE_FIRST_S
            self._keep_house()
            try:
                folded = self._folder.fold(records)
                if storing is not None:
                    storing.result()
            except BaseException:
                hold.release()
                raise
            storing = self._lane.submit(self._store_range, folded, hold)
            if folded.late or folded.overflowed or folded.commands:
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
        self._until_answered(self._forgetting.load)
        self._until_answered(lambda: self._recall.values(self._caps))
        self._until_answered(lambda: self._recall.open_tracks(self._tracks, position))
        for intent in self._ledger.intents():
            _LOG.info("range_repeated", first=intent.first, next=intent.next)
            try:
                records = self._exactly(intent.first, intent.next)
            except OffsetGone as error:
                return self._step_over(error)
            hold = self._held(records)
            folded = self._folder.fold(records)
            self._store_range(folded, hold)
            position = folded.next
        self._until_answered(self._forgetting.finish)
        return position

    def _admitted(self, records: list[Record]) -> tuple[list[Record], Hold]:
        """Return the records that may be stored now; rows of a project that is being built wait."""
        admitted_now, hold = admitted(records, self._config.data_dir)
        if len(admitted_now) == len(records):
            if self._held_up_s is not None:
                self._held_up_s = None
                self._note(rows_wait="")
            return records, hold
        now_s = self._clock.monotonic_s()
        if self._held_up_s is None:
            self._held_up_s = now_s
        elif now_s - self._held_up_s >= HELD_UP_SAID_S and self._held_up_s >= 0:
            self._held_up_s = -1.0
            at = records[len(admitted_now)].offset
            _LOG.warning("rows_wait", offset=at, reason=hold.said)
            self._note(
                rows_wait=f"a build, deployment or backup has the tables, or their lock cannot be had:"
                f" {hold.said} Rows from offset {at} on wait"
            )
        return admitted_now, hold

    def _held(self, records: list[Record]) -> Hold:
        """Return the locks that a range needs; waits until no build holds them."""
        while True:
            admitted_now, hold = admitted(records, self._config.data_dir)
            if len(admitted_now) == len(records):
                return hold
            hold.release()
            if self._stop.wait(IDLE_MAX_S):
                raise Stopped

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
        ended = {k: n for k, n in self._ledger.counts().items() if k != VIEW_FAILED}
        counted = sum(ended.values())
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
        records = cut_at_commands(records)
        events = 0
        for at, record in enumerate(records):
            events += record.events
            if events >= limits.batch_events:
                return records[: at + 1]
        return records

    def _store_range(self, folded: Folded, hold: Hold) -> None:
        try:
            self._loader.load(folded, self._folder.refold)
        finally:
            hold.release()
        for outcome, count in folded.counts.items():
            if not outcome.startswith(JOB):
                _EVENTS.labels(outcome).inc(count)
        _OPEN.set(len(self._tracks))
        heard = {"event_at_ms": folded.event_at_ms} if folded.event_at_ms else {}
        self._note(
            **heard,
            as_of_ms=folded.as_of_ms,
            heard_at_ms=self._clock.now_ms(),
            open_views=len(self._tracks),
            capped=msgspec.json.encode(self._caps.capped).decode(),
            last_error=self._loader.last_error,
        )

    def _note(self, **notes: object) -> None:
        try:
            self._ledger.note(**notes)
        except Unavailable as error:  # a full disk; what was stored is recorded
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
            self._sizes.make_room()
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
        with suppress(Unavailable):
            self._ledger.forget_jobs(self._clock.now_ms() - JOBS_COUNTED_MS)
        gc.collect()  # switched off while working; errors and their traces may leave cycles
        if self._upkeep is None or not self._upkeep.is_alive():
            # Beside the work, for merging a large day takes minutes; not waited for at the end.
            self._upkeep = threading.Thread(target=self._optimize, name="upkeep", daemon=True)
            self._upkeep.start()

    def _optimize(self) -> None:
        try:
            today = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).date()
            purge_some(self._store)
            optimize_closed_days(self._store, today)
            self._sizes.keep()
            if self._rollups is not None:
                self._rollups.make(today, days_max=self._config.process.rollup_days_per_round)
        except (PlayheadError, RuntimeError) as error:  # the client was closed meanwhile
            _LOG.warning("housekeeping_failed", reason=str(error))
