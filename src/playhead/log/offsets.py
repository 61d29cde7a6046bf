"""The worker's ledger: how far it has come, what it is about to insert, what it has counted."""

import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from playhead.errors import LogUnavailable, SchemaTooNew
from playhead.log.database import connect, make_durable, read_error, write_error
from playhead.log.lock import WriterLock

VERSION = 1
JOB = "job:"
"""Before the names of counters of jobs: `job:<id>:rows`."""
_NOT_OF_JOBS = "NOT (name >= 'job:' AND name < 'job;')"
MAX_INTENTS = 2
"""Ranges on their way into the store at one time: one being inserted, one being prepared."""

_SCHEMA = """
BEGIN;
CREATE TABLE position (id INTEGER PRIMARY KEY CHECK (id = 0), next INTEGER NOT NULL);
INSERT INTO position VALUES (0, 0);
CREATE TABLE intents (
  first INTEGER PRIMARY KEY, next INTEGER NOT NULL, as_of INTEGER NOT NULL, detail TEXT NOT NULL
);
CREATE TABLE counts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE notes (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
PRAGMA user_version=1;
COMMIT;
"""


class Intent(msgspec.Struct, frozen=True):
    """Offsets `first` to `next`-1, about to be inserted with log time `as_of` (UTC ms).

    `detail` is the worker's own text: whatever it needs to build the same blocks again.
    """

    first: int
    next: int
    as_of: int
    detail: str = ""


class Ledger:
    """`worker.db`: written by the worker, read by any process. Every change is on disk on return.

    Opened for reading only, a file that does not exist yet reads as an empty ledger.

    Args:
        path: The file; its folder is made if it is missing and the ledger is writable.
        writable: Take the writer lock and allow changes.

    Raises:
        DataDirBusy: Another worker writes this ledger.
        LogCorrupt: The file cannot be read.
        SchemaTooNew: A newer release wrote it.
    """

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        self._path = path
        self._writable = writable
        self._mutex = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._lock = WriterLock(path.with_name(path.name + ".lock")) if writable else None
        try:
            self._ready()
        except BaseException:
            self.close()
            raise

    def position(self) -> int:
        """Return the next offset to insert; everything before it is in the store."""
        rows = self._ask("SELECT next FROM position")
        return int(rows[0][0]) if rows else 0

    def intents(self) -> list[Intent]:
        """Return what was begun and not finished, in order; after a crash, repeat exactly these."""
        rows = self._ask("SELECT first, next, as_of, detail FROM intents ORDER BY first")
        return [Intent(*row) for row in rows]

    def counts(self) -> dict[str, int]:
        """Return the counters, kept since the data folder was made; those of jobs are not among them."""
        return dict(
            self._ask(f"SELECT name, value FROM counts WHERE {_NOT_OF_JOBS} ORDER BY name")  # noqa: S608
        )

    def job_counts(self, job: str) -> dict[str, int]:
        """Return what was counted for one job, names without `job:<id>:`."""
        before = f"{JOB}{job}:"
        rows = self._ask(
            "SELECT name, value FROM counts WHERE name >= ? AND name < ? ORDER BY name",
            (before, before[:-1] + ";"),
        )
        return {name.removeprefix(before): value for name, value in rows}

    def forget_jobs(self, before_ms: int) -> None:
        """Forget what was counted for jobs made before a time; their ids begin with it.

        Raises:
            DiskLow, LogUnavailable: Nothing was forgotten.
        """
        digits = f"{before_ms:012x}"
        until = f"{JOB}{digits[:8]}-{digits[8:]}"
        self._write([("DELETE FROM counts WHERE name >= ? AND name < ?", (JOB, until))])

    def notes(self) -> dict[str, str]:
        """Return the worker's notes on its own state."""
        return dict(self._ask("SELECT key, value FROM notes ORDER BY key"))

    def intend(self, intent: Intent) -> None:
        """Record a range before anything of it is inserted.

        Raises:
            ValueError: It does not start where the last one ends, is empty, or is one too many.
            DiskLow, LogUnavailable: It was not recorded.
        """
        begun = self.intents()
        start = begun[-1].next if begun else self.position()
        if intent.first != start or intent.next <= intent.first:
            raise ValueError(f"{intent} does not follow offset {start}")
        if len(begun) >= MAX_INTENTS:
            raise ValueError(f"{MAX_INTENTS} ranges are already begun")
        self._write(
            [
                (
                    "INSERT INTO intents VALUES (?, ?, ?, ?)",
                    (intent.first, intent.next, intent.as_of, intent.detail),
                )
            ]
        )

    def advance(self, to: int, counts: Mapping[str, int] | None = None) -> None:
        """Record that everything before `to` is in the store, and add to the counters, as one.

        `to` ends the oldest range that was begun. Without one it may lie anywhere ahead: that is
        how a worker passes over ticks, or over what retention removed.

        Raises:
            ValueError: `to` is not the end of the oldest range, or lies behind the position.
            DiskLow, LogUnavailable: Nothing was recorded.
        """
        begun = self.intents()
        if begun and to != begun[0].next:
            raise ValueError(f"{to} does not end {begun[0]}")
        if to < self.position():
            raise ValueError(f"{to} lies behind the position {self.position()}")
        add = "INSERT INTO counts VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + ?"
        self._write(
            [
                ("UPDATE position SET next = ?", (to,)),
                ("DELETE FROM intents WHERE next <= ?", (to,)),
                *((add, (name, value, value)) for name, value in (counts or {}).items()),
            ]
        )

    def note(self, **notes: object) -> None:
        """Keep notes by key, as text; one commit for all of them.

        Raises:
            DiskLow, LogUnavailable: Nothing was kept.
        """
        keep = "INSERT INTO notes VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
        self._write([(keep, (key, str(value))) for key, value in notes.items()])

    def close(self) -> None:
        """Release the file; calling it again does nothing."""
        with self._mutex:
            self._release()
            if self._lock:
                self._lock.release()

    def _ask(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        with self._mutex:
            connection = self._ready()
            if connection is None:
                return []
            try:
                return connection.execute(query, values).fetchall()
            except sqlite3.Error as error:
                self._release()
                raise read_error(error, self._path) from error

    def _write(self, statements: list[tuple[str, tuple[object, ...]]]) -> None:
        with self._mutex:
            connection = self._ready()
            if connection is None or not self._writable:
                raise LogUnavailable(f"This process opened {self._path.name} for reading only.")
            try:
                connection.execute("BEGIN IMMEDIATE")
                for statement, values in statements:
                    connection.execute(statement, values)
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._release()  # rolls back; the next call opens it again
                raise write_error(error, self._path) from error

    def _ready(self) -> sqlite3.Connection | None:
        if self._connection is None and (self._writable or self._path.exists()):
            try:
                self._connection = self._opened()
            except sqlite3.Error as error:
                raise read_error(error, self._path) from error
        return self._connection

    def _opened(self) -> sqlite3.Connection | None:
        connection = connect(self._path, mode="rwc" if self._writable else "ro")
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            self._refuse_newer(version)
            if self._writable:
                connection.execute("PRAGMA journal_mode=WAL")
                make_durable(connection)
                if version == 0:
                    connection.executescript(_SCHEMA)
            elif version == 0:  # the worker is making it right now
                connection.close()
                return None
        except BaseException:
            connection.close()
            raise
        return connection

    def _refuse_newer(self, version: int) -> None:
        if version > VERSION:
            raise SchemaTooNew(f"{self._path} has version {version}; this one reads {VERSION}.")

    def _release(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
