"""Closed segments written anew with changed records: what was deleted must not stay in them.

A segment is copied into a file beside, record by record under the same offsets and counts, and moved
over the old one as a whole; a stop at any step leaves one or the other. Only segments behind every
consumer are touched, and only by the process that writes the log.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from playhead.errors import LogUnavailable
from playhead.log.base import Record
from playhead.log.database import companions, connect, write_error
from playhead.log.packing import Packer
from playhead.log.segment import SegmentReader, create_draft, segment_path, sync_path

_RECORDS_PER_READ: Final = 500
_BYTES_PER_READ: Final = 16 << 20
_INSERT: Final = "INSERT INTO records VALUES (?,?,?,?,?,?,?,?,?)"

Change = Callable[[Record], Record | None]
"""Given a record: the one that takes its place, None to leave it."""


def rewrite_segment(folder: Path, first: int, change: Change) -> int:
    """Rewrite one segment that grows no more; return how many records were changed.

    Nothing is written where none is.

    Raises:
        DiskLow, LogUnavailable: The segment is as it was.
        LogCorrupt, SchemaTooNew: It cannot be read.
    """
    path = segment_path(folder, first)
    with closing(SegmentReader(folder, first)) as reader:
        if not any(change(record) is not None for record in _records(reader, first)):
            return 0
        try:
            draft = create_draft(folder, reader.head)
            changed = _copy(reader, draft, first, change)
            _settle(path)
            for companion in companions(path):
                companion.unlink(missing_ok=True)
            draft.replace(path)
            sync_path(folder)
        except (sqlite3.Error, OSError) as error:
            raise write_error(error, path) from error
    return changed


def _records(reader: SegmentReader, first: int) -> Iterator[Record]:
    at = first
    while found := reader.read(at, max_records=_RECORDS_PER_READ, max_bytes=_BYTES_PER_READ):
        yield from found
        at = found[-1].offset + 1


def _copy(reader: SegmentReader, draft: Path, first: int, change: Change) -> int:
    changed, total = 0, reader.head.events_before
    packer = Packer()
    with closing(connect(draft, mode="rw")) as connection:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN IMMEDIATE")
        for record in _records(reader, first):
            new = change(record)
            changed += new is not None
            kept = record if new is None else new
            ((form, body),) = packer.pack([kept.body])
            values = (record.offset, kept.door, kept.key, record.received_at, record.events, total)
            connection.execute(_INSERT, (*values, form, kept.meta, body))
            total += record.events
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    sync_path(draft)
    return changed


def _settle(path: Path) -> None:
    """Bring all of a segment into its main file, so that nothing of the old one is beside the new.

    Raises:
        LogUnavailable: Somebody reads it at this moment; later it can be done.
    """
    with closing(connect(path, mode="rw")) as connection:
        busy, left, done = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy or left != done:
        raise LogUnavailable(f"{path.name} is being read; it was not rewritten. Ask again.")
