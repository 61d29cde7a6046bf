"""Group commit: many requests of the event loop, one commit on disk.

The loop queues entries; one thread takes all that is pending, commits it, and wakes the loop once
per commit. While one commit waits for the disk the next one fills up, so the deeper the queue, the
larger the commits: the disk sets the pace and no timer is needed.
"""

import asyncio
import copy
import queue
import threading
from contextlib import suppress
from typing import NamedTuple

from playhead import config
from playhead.clock import Clock
from playhead.errors import LogUnavailable, PlayheadError, QueueFull
from playhead.log.base import TICK_DOOR, Entry, Log
from playhead.observe import counter, gauge, histogram, logger

TICK = Entry(door=TICK_DOOR, key="", events=0, meta=b"{}", body=b"[]")
"""Carries log time forward while nothing arrives."""

BATCHES = counter("log_batches", "Batches stored in the log")
EVENTS = counter("log_events", "Events inside the batches stored in the log")
REJECTED = counter("log_rejected_batches", "Batches the log did not take", ("reason",))
PENDING = gauge("log_pending_batches", "Batches waiting for their commit")
COMMIT_SECONDS = histogram(
    "log_commit_seconds",
    "Time of one commit of the log, until it is on disk",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)


class _Pending(NamedTuple):
    entries: tuple[Entry, ...]
    done: asyncio.Future[int]


class Appender:
    """Appends for the event loop that runs when it is made; its one thread writes the log.

    Args:
        log: Where to append; its `append` is called from the appender's thread alone.
        settings: `max_batches_per_commit`, `max_pending_batches`, `max_pending_bytes`,
            `idle_tick_ms`.
        clock: Measures commits.
    """

    def __init__(self, log: Log, settings: config.Log, clock: Clock) -> None:
        self._log = log
        self._settings = settings
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Pending | None] = queue.SimpleQueue()
        # Only the loop's thread touches these two, so they need no lock.
        self._pending_batches = 0
        self._pending_bytes = 0
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="log-appender", daemon=True)
        self._thread.start()

    async def append(self, *entries: Entry) -> int:
        """Store what one request brought and return the first offset; then it is on disk.

        All of it is in one commit, so after a crash it is there or it is not. A cancelled caller leaves its batch in the queue: it may be stored without an answer.

        Raises:
            QueueFull: As much as allowed already waits for the disk.
            DiskLow: Free space is below the floor.
            LogUnavailable: The disk refused, or the appender is closed.
        """
        size = _size(entries)
        self._admit(size)
        done: asyncio.Future[int] = self._loop.create_future()
        self._pending_batches += 1
        self._pending_bytes += size
        self._queue.put(_Pending(entries, done))
        return await done

    async def close(self) -> None:
        """Commit what is pending, then stop; later appends are refused. The log stays open."""
        if not self._is_closed:
            self._is_closed = True
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.sleep(0)  # the last commit's answers were queued before the thread ended

    def _admit(self, size: int) -> None:
        if self._is_closed:
            raise LogUnavailable("Playhead is stopping; nothing of this request was stored.")
        # A batch larger than the limit still goes in alone, else it could never be stored.
        too_many = self._pending_batches >= self._settings.max_pending_batches
        too_large = self._pending_bytes + size > self._settings.max_pending_bytes
        if too_many or (too_large and self._pending_batches):
            REJECTED.labels(QueueFull.code).inc()
            raise QueueFull(retry_after_s=1)

    def _run(self) -> None:
        """Commit until closed; the thread's whole life."""
        idle_s = self._settings.idle_tick_ms / 1000
        is_open = True
        while is_open:
            try:
                first = self._queue.get(timeout=idle_s)
            except queue.Empty:
                self._tick()
                continue
            batches, is_open = self._take(first)
            if batches:
                self._commit(batches)

    def _take(self, first: _Pending | None) -> tuple[list[_Pending], bool]:
        """Return all that is pending, as far as one commit takes it, and if more may come."""
        batches: list[_Pending] = []
        following = first
        while following is not None:
            batches.append(following)
            if len(batches) >= self._settings.max_batches_per_commit:
                return batches, True
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                return batches, True
        return batches, False

    def _tick(self) -> None:
        try:
            self._log.append([TICK])
        except Exception as error:  # noqa: BLE001 (this thread must outlive any failure)
            logger("log").warning("log_tick_failed", error=_as_answer(error).message)

    def _commit(self, batches: list[_Pending]) -> None:
        started_s = self._clock.monotonic_s()
        offsets: list[int] = []
        failure: PlayheadError | None = None
        try:
            offsets = self._log.append([entry for batch in batches for entry in batch.entries])
        except Exception as error:  # noqa: BLE001 (each batch of this commit gets the answer)
            failure = _as_answer(error)
        COMMIT_SECONDS.observe(self._clock.monotonic_s() - started_s)
        with suppress(RuntimeError):  # a closed loop: no caller is left to be answered
            self._loop.call_soon_threadsafe(self._resolve, batches, offsets, failure)

    def _resolve(
        self, batches: list[_Pending], offsets: list[int], failure: PlayheadError | None
    ) -> None:
        """Answer every caller of one commit; runs in the loop."""
        self._pending_batches -= len(batches)
        self._pending_bytes -= sum(_size(batch.entries) for batch in batches)
        PENDING.set(self._pending_batches)
        if failure is not None:
            REJECTED.labels(failure.code).inc(len(batches))
            for batch in batches:
                if not batch.done.done():
                    batch.done.set_exception(copy.copy(failure))
            return
        BATCHES.inc(len(offsets))
        EVENTS.inc(sum(entry.events for batch in batches for entry in batch.entries))
        at = 0
        for batch in batches:
            if not batch.done.done():
                batch.done.set_result(offsets[at])
            at += len(batch.entries)


def _size(entries: tuple[Entry, ...]) -> int:
    return sum(len(entry.body) + len(entry.meta) for entry in entries)


def _as_answer(error: Exception) -> PlayheadError:
    """Return the error a caller gets; one that is not ours is a passing trouble of the log."""
    if isinstance(error, PlayheadError):
        return error
    logger("log").error("log_append_failed", error=repr(error))
    return LogUnavailable(f"The log failed ({error!r}); nothing of this request was stored.")
