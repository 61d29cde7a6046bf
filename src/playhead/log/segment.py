"""One segment file: a SQLite database named after its first offset.

A row is one accepted batch. `events_before` is a running total over the whole life of the log, so
counting events never reads bodies. The file is made under another name and moved in place, so a
segment that can be seen is whole.
"""

import os
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from playhead.errors import LogCorrupt, SchemaTooNew
from playhead.log.base import Record
from playhead.log.database import companions, connect, make_durable, read_error
from playhead.log.packing import Unpacker

VERSION = 1
PAGE_BYTES = 8192
ROW_BYTES = 64
"""What a row costs beside its meta, body and key; only for deciding when a segment is full."""

_NAME = re.compile(r"^(\d{20})\.db$")
_SCHEMA = """
CREATE TABLE segment (
  version INTEGER NOT NULL, first_offset INTEGER NOT NULL, events_before INTEGER NOT NULL,
  received_before INTEGER NOT NULL, created_at INTEGER NOT NULL
);
CREATE TABLE records (
  offset INTEGER PRIMARY KEY, door TEXT NOT NULL, key TEXT NOT NULL, received_at INTEGER NOT NULL,
  n INTEGER NOT NULL, events_before INTEGER NOT NULL, form INTEGER NOT NULL,
  meta BLOB NOT NULL, body BLOB NOT NULL
);
"""
_RECORDS = (
    "SELECT offset, door, key, received_at, n, meta, form, body FROM records"
    " WHERE offset >= ? ORDER BY offset LIMIT ?"
)
_TAIL = (
    "SELECT offset + 1, events_before + n, received_at FROM records ORDER BY offset DESC LIMIT 1"
)


class Head(msgspec.Struct, frozen=True):
    """What a segment knows from its first moment; times in UTC ms."""

    first: int
    events_before: int
    received_before: int
    created_at: int


class Tail(msgspec.Struct, frozen=True):
    """Where a segment ends now: the next offset, events ever appended, newest receipt (UTC ms)."""

    next: int
    events_total: int
    newest_received_at: int


def segment_path(folder: Path, first: int) -> Path:
    """Return the file of the segment that starts at offset `first`."""
    return folder / f"{first:020d}.db"


def segment_firsts(folder: Path) -> list[int]:
    """Return the first offsets of the segments in a folder, ascending; empty without folder."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 (names alone, 20 times a second)
    except FileNotFoundError:
        return []
    return sorted(int(match[1]) for match in map(_NAME.match, names) if match)


def create_segment(folder: Path, head: Head) -> None:
    """Make an empty segment, whole and on disk when this returns.

    Raises:
        sqlite3.Error, OSError: The disk refused; no segment appeared.
    """
    path = segment_path(folder, head.first)
    # A write-ahead file left by a segment that was moved away would be replayed into this one.
    for stale in companions(path):
        stale.unlink(missing_ok=True)
    create_draft(folder, head).rename(path)
    sync_path(folder)


def create_draft(folder: Path, head: Head) -> Path:
    """Make an empty segment beside where it belongs, whole and on disk; return its file.

    Raises:
        sqlite3.Error, OSError: The disk refused.
    """
    fresh = segment_path(folder, head.first).with_suffix(".new")
    for stale in (fresh, *companions(fresh)):
        stale.unlink(missing_ok=True)
    with closing(connect(fresh, mode="rwc")) as connection:
        connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode=MEMORY")
        connection.execute(f"PRAGMA user_version={VERSION}")
        connection.executescript(_SCHEMA)
        connection.execute(
            "INSERT INTO segment VALUES (?, ?, ?, ?, ?)",
            (VERSION, head.first, head.events_before, head.received_before, head.created_at),
        )
        connection.execute("PRAGMA journal_mode=WAL")
    sync_path(fresh)
    return fresh


def remove_segment(folder: Path, first: int) -> None:
    """Unlink a segment and its companions; a missing file is no error."""
    path = segment_path(folder, first)
    for file in (path, *companions(path)):
        file.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Unlink what a crash left behind: half-made segments, companions of unlinked ones."""
    for file in folder.iterdir():
        main = file.name.removesuffix("-wal").removesuffix("-shm")
        orphan = main != file.name and _NAME.match(main) and not (folder / main).exists()
        if orphan or ".new" in file.name:
            file.unlink(missing_ok=True)


def segment_bytes(folder: Path, first: int) -> int:
    """Return the size of a segment with its write-ahead file; 0 for what is not there."""
    path = segment_path(folder, first)
    return sum(_size(file) for file in (path, companions(path)[0]))


def open_for_append(path: Path) -> sqlite3.Connection:
    """Open a segment's writing connection: every commit is on disk when it returns.

    Raises:
        LogCorrupt, SchemaTooNew: See `read_head`.
        sqlite3.Error: The disk refused.
    """
    connection = connect(path, mode="rw")
    try:
        read_head(connection, path)
        make_durable(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def read_head(connection: sqlite3.Connection, path: Path) -> Head:
    """Return a segment's head.

    Raises:
        LogCorrupt: The file is empty, truncated or no segment.
        SchemaTooNew: A newer release wrote it.
        LogUnavailable: It cannot be read at the moment.
    """
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise SchemaTooNew(f"{path} has version {version}; this Playhead reads {VERSION}.")
        row = connection.execute(
            "SELECT first_offset, events_before, received_before, created_at FROM segment"
        ).fetchone()
    except sqlite3.Error as error:
        raise read_error(error, path) from error
    if row is None or segment_path(path.parent, row[0]) != path:
        raise LogCorrupt(f"{path} is not the segment its name says.")
    return Head(*row)


def read_tail(connection: sqlite3.Connection, head: Head, path: Path) -> Tail:
    """Return where a segment ends now.

    Raises:
        LogCorrupt: The newest record cannot be read.
        LogUnavailable: It cannot be read at the moment.
    """
    try:
        row = connection.execute(_TAIL).fetchone()
    except sqlite3.Error as error:
        raise read_error(error, path) from error
    if row is None:
        return Tail(head.first, head.events_before, head.received_before)
    return Tail(*row)


class SegmentReader:
    """Reads one segment, while it grows and afterwards. No statement stays open between calls.

    Raises:
        FileNotFoundError: Retention removed it.
        LogCorrupt, SchemaTooNew: See `read_head`.
    """

    def __init__(self, folder: Path, first: int) -> None:
        self._path = segment_path(folder, first)
        self._unpacker = Unpacker()
        self._inode = _inode(self._path)
        try:
            self._connection = connect(self._path, mode="ro")
        except sqlite3.Error as error:
            if not self._path.exists():
                raise FileNotFoundError(self._path) from error
            raise read_error(error, self._path) from error
        try:
            self.head = read_head(self._connection, self._path)
        except BaseException:
            self._connection.close()
            raise

    def is_replaced(self) -> bool:
        """Return whether another file took its place (`log/rewriting.py`)."""
        return _inode(self._path) != self._inode

    def tail(self) -> Tail:
        """Return where the segment ends now."""
        return read_tail(self._connection, self.head, self._path)

    def read(self, offset: int, *, max_records: int, max_bytes: int) -> list[Record]:
        """Return records from `offset` on; the one that reaches `max_bytes` is the last.

        Raises:
            LogCorrupt: A record is missing or damaged.
            LogUnavailable: The file cannot be read at the moment.
        """
        records: list[Record] = []
        size = 0
        try:
            with closing(self._connection.execute(_RECORDS, (offset, max_records))) as rows:
                for row in rows:
                    record = self._record(row, offset + len(records))
                    records.append(record)
                    size += len(record.body)
                    if size >= max_bytes:
                        break
        except sqlite3.Error as error:
            raise read_error(error, self._path) from error
        return records

    def events_before(self, offset: int) -> int | None:
        """Return the events ever appended before `offset`, None if the segment lacks it."""
        query = "SELECT events_before FROM records WHERE offset = ?"
        try:
            row = self._connection.execute(query, (offset,)).fetchone()
        except sqlite3.Error as error:
            raise read_error(error, self._path) from error
        return None if row is None else int(row[0])

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def _record(self, row: Sequence[object], expected: int) -> Record:
        offset, door, key, received_at, events, meta, form, body = row
        if offset != expected:
            raise LogCorrupt(f"{self._path} lacks offset {expected}; the next one is {offset}.")
        try:
            body = self._unpacker.unpack(form, body)  # type: ignore[arg-type]
        except ValueError as error:
            raise LogCorrupt(f"Offset {offset} in {self._path} is damaged ({error}).") from error
        return Record(offset, door, key, received_at, events, meta, body)  # type: ignore[arg-type]


def sync_path(path: Path) -> None:
    """Wait until a file or folder is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0
