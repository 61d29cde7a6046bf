"""The log at one moment: closed segments as hard links, the others row by row up to that moment."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec

from playhead.backup.draft import link
from playhead.backup.pack import File, Pack, file_of, make_folder
from playhead.errors import LogUnavailable
from playhead.log.database import companions, connect, read_error
from playhead.log.reader import LogReader
from playhead.log.segment import create_segment, read_head, segment_firsts, segment_path

FOLDER: Final = "log"
ROWS_AT_ONCE: Final = 2_000
"""Rows copied by one statement: no reader of the log stands still for long."""


class Held(msgspec.Struct):
    """What the log was at the moment: `closed` are linked, `open` are to be copied up to `next`."""

    next: int
    closed: list[Pack] = []
    open: list[tuple[int, int]] = []
    """First offset and end of each."""


def hold(data_dir: Path, draft: Path) -> Held:
    """Take the log; quick, for the worker stands still meanwhile.

    Raises:
        LogCorrupt, LogUnavailable: It cannot be read.
    """
    folder = data_dir / FOLDER
    reader = LogReader(folder)
    try:
        held = Held(reader.bounds().next)
    finally:
        reader.close()
    firsts = segment_firsts(folder)
    for first, end in zip(firsts, [*firsts[1:], held.next], strict=False):
        path = segment_path(folder, first)
        try:
            if first == firsts[-1] or _size(companions(path)[0]):
                held.open.append((first, end))
            else:
                held.closed.append(_linked(path, draft))
        except FileNotFoundError:  # retention removed it
            continue
    return held


def copy_open(data_dir: Path, draft: Path, held: Held, position: int) -> list[Pack]:
    """Copy the segments that were not closed, up to the moment, when the worker was at `position`.

    Raises:
        LogCorrupt, LogUnavailable, DiskLow: They cannot be read or written.
    """
    packs = []
    for first, end in held.open:
        path = segment_path(data_dir / FOLDER, first)
        if not path.exists():
            if position >= end:  # retention removed it, and nobody reads it any more
                continue
            raise LogUnavailable(
                f"Retention removed {path.name} before it was copied. No backup was made."
            )
        target = segment_path(draft / FOLDER, first)
        make_folder(target.parent)
        try:
            _copy(path, target, held.next)
        except sqlite3.Error as error:
            raise read_error(error, path) from error
        packs.append(_pack(file_of(target, target.name)))
    return packs


def _copy(path: Path, target: Path, until: int) -> None:
    with closing(connect(path, mode="ro")) as source:
        head = read_head(source, path)
    create_segment(target.parent, head)
    with closing(connect(target, mode="rw")) as copy:
        copy.execute("ATTACH DATABASE ? AS source", (f"file:{quote(str(path))}?mode=ro",))
        at = head.first
        while at < until:
            stop = min(at + ROWS_AT_ONCE, until)
            copied = copy.execute(
                "INSERT INTO main.records SELECT * FROM source.records"
                " WHERE offset >= ? AND offset < ? ORDER BY offset",
                (at, stop),
            ).rowcount
            if not copied:
                break
            at += copied
        copy.execute("DETACH DATABASE source")
        copy.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if _size(companions(target)[0]):
        raise LogUnavailable(f"The copy of {path.name} could not be finished.")


def _linked(path: Path, draft: Path) -> Pack:
    target = draft / FOLDER / path.name
    make_folder(target.parent)
    found = path.stat()
    link(path, target)
    stamp = f"{found.st_ino}-{found.st_size}-{found.st_mtime_ns}"
    return _pack(File(path.name, target, found.st_size), stamp)


def _pack(file: File, stamp: str = "") -> Pack:
    return Pack(kind="segment", root=FOLDER, files=(file,), stamp=stamp)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
