"""Writing a folder of segments: one process, one commit at a time."""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

from playhead import config
from playhead.clock import Clock
from playhead.errors import LogUnavailable, Unavailable
from playhead.log.base import Bounds, Entry
from playhead.log.database import write_error
from playhead.log.lock import WriterLock
from playhead.log.packing import Packer, Stored
from playhead.log.segment import (
    ROW_BYTES,
    Head,
    Tail,
    create_segment,
    open_for_append,
    read_head,
    read_tail,
    remove_leftovers,
    segment_bytes,
    segment_firsts,
    segment_path,
)
from playhead.log.space import FreeSpace
from playhead.observe import logger

ROWS_PER_STATEMENT = 64
"""Rows of one INSERT. One statement is one trip out of Python's lock, however many rows it has."""

_ROW = "(?,?,?,?,?,?,?,?,?)"
_Row = tuple[int, str, str, int, int, int, int, bytes, Stored]


class LogWriter:
    """Appends to the newest segment and starts new ones. Safe for use by several threads.

    A failed commit closes the connection; the next append opens it again and goes on at the next
    dense offset, so the writer recovers by itself once the disk does.

    Raises:
        DataDirBusy: Another process writes this folder.
        LogCorrupt, SchemaTooNew: The newest segment cannot be used.
    """

    def __init__(
        self, folder: Path, settings: config.Log, clock: Clock, *, resume_at: int = 0
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._clock = clock
        self._resume_at = resume_at
        self._packer = Packer()
        self._mutex = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._head = Head(0, 0, 0, 0)
        self._tail = Tail(0, 0, 0)
        self._bytes = 0
        self._is_closed = False
        self._lock = WriterLock(folder / "writer.lock")
        self._space = FreeSpace(folder, settings.free_space_floor_bytes, clock)
        try:
            remove_leftovers(folder)
            self._ready()
        except Unavailable as error:
            # A full disk must not keep the doors from starting: they answer 503 and recover.
            logger("log").warning("log_opened_without_disk", error=error.message)
        except BaseException:
            self.close()
            raise

    def append(self, entries: Sequence[Entry]) -> list[int]:
        """Store entries as `Log.append` promises."""
        if not entries:
            return []
        with self._mutex:
            if self._is_closed:
                raise LogUnavailable("The log is closed; nothing of this request was stored.")
            self._space.check()
            self._ready()
            received_at = max(self._clock.now_ms(), self._tail.newest_received_at)
            try:
                self._roll(received_at)
                rows = self._rows(entries, received_at)
                self._commit(rows)
            except (sqlite3.Error, OSError) as error:
                self._release()
                raise write_error(error, segment_path(self._folder, self._head.first)) from error
            self._advance(entries, rows, received_at)
            return [row[0] for row in rows]

    def close_segment(self) -> int:
        """Start a new segment, unless the newest is empty; return where it begins.

        Raises:
            DiskLow, LogUnavailable: The disk refused.
        """
        with self._mutex:
            if self._is_closed:
                raise LogUnavailable("The log is closed.")
            self._ready()
            if self._tail.next > self._head.first:
                try:
                    self._begin(self._tail.next, self._clock.now_ms())
                except (sqlite3.Error, OSError) as error:
                    self._release()
                    raise write_error(
                        error, segment_path(self._folder, self._head.first)
                    ) from error
            return self._head.first

    def bounds(self) -> Bounds | None:
        """Return the bounds without asking the disk for more than names; None while it is away."""
        tail = self._tail if self._connection is not None else None
        firsts = segment_firsts(self._folder)
        if tail is None or not firsts:
            return None
        return Bounds(firsts[0], tail.next, tail.events_total, tail.newest_received_at)

    def close(self) -> None:
        """Release files and let another process write; calling it again does nothing."""
        with self._mutex:
            self._is_closed = True
            self._release()
            self._lock.release()

    def _ready(self) -> None:
        """Open the newest segment, or make the first one."""
        if self._connection is not None:
            return
        firsts = segment_firsts(self._folder)
        path = segment_path(self._folder, firsts[-1] if firsts else self._resume_at)
        try:
            if not firsts:
                create_segment(self._folder, Head(self._resume_at, 0, 0, self._clock.now_ms()))
            self._use(path)
            if self._tail.next < self._resume_at:
                logger("log").warning("log_offsets_skipped", next=self._tail.next)
                self._begin(self._resume_at, self._clock.now_ms())
        except (sqlite3.Error, OSError) as error:
            raise write_error(error, path) from error

    def _use(self, path: Path) -> None:
        connection = open_for_append(path)
        try:
            head = read_head(connection, path)
            tail = read_tail(connection, head, path)
        except BaseException:
            connection.close()
            raise
        self._release()
        self._connection, self._head, self._tail = connection, head, tail
        self._bytes = segment_bytes(self._folder, head.first)

    def _roll(self, received_at: int) -> None:
        """Start a new segment when the newest is large or old enough; an empty one is kept."""
        tail = self._tail
        if tail.next == self._head.first:
            return
        is_old = received_at - self._head.created_at >= self._settings.segment_age_ms
        if not is_old and self._bytes < self._settings.segment_bytes:
            return
        self._begin(tail.next, received_at)

    def _begin(self, first: int, created_at: int) -> None:
        """Start a new segment at offset `first`; the one before is closed once it is there."""
        head = Head(first, self._tail.events_total, self._tail.newest_received_at, created_at)
        create_segment(self._folder, head)
        self._use(segment_path(self._folder, first))

    def _rows(self, entries: Sequence[Entry], received_at: int) -> list[_Row]:
        rows: list[_Row] = []
        total = self._tail.events_total
        bodies = self._packer.pack([entry.body for entry in entries])
        for offset, (entry, (form, body)) in enumerate(
            zip(entries, bodies, strict=True), self._tail.next
        ):
            rows.append(
                (
                    offset,
                    entry.door,
                    entry.key,
                    received_at,
                    entry.events,
                    total,
                    form,
                    entry.meta,
                    body,
                )
            )
            total += entry.events
        return rows

    def _commit(self, rows: Sequence[_Row]) -> None:
        connection = self._connection
        if connection is None:  # pragma: no cover - `_ready` came first
            raise sqlite3.ProgrammingError("the log is closed")
        if len(rows) <= ROWS_PER_STATEMENT:
            _insert(connection, rows)  # a statement alone is a transaction of its own
            return
        connection.execute("BEGIN IMMEDIATE")
        for start in range(0, len(rows), ROWS_PER_STATEMENT):
            _insert(connection, rows[start : start + ROWS_PER_STATEMENT])
        connection.execute("COMMIT")

    def _advance(self, entries: Sequence[Entry], rows: Sequence[_Row], received_at: int) -> None:
        total = self._tail.events_total + sum(entry.events for entry in entries)
        self._tail = Tail(rows[-1][0] + 1, total, received_at)
        self._bytes += sum(ROW_BYTES + len(row[2]) + len(row[7]) + len(row[8]) for row in rows)

    def _release(self) -> None:
        if self._connection is not None:
            self._connection.close()  # rolls back what a failed statement left
            self._connection = None


def _insert(connection: sqlite3.Connection, rows: Sequence[_Row]) -> None:
    values = [value for row in rows for value in row]
    connection.execute(_STATEMENTS[len(rows) - 1], values)


_STATEMENTS = tuple(
    f"INSERT INTO records VALUES {','.join([_ROW] * count)}"  # noqa: S608 (only placeholders)
    for count in range(1, ROWS_PER_STATEMENT + 1)
)
