"""The files of a data folder beside store and log: SQLite files by SQLite, the others as they are."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from playhead.backup.draft import link
from playhead.backup.freeze import COPIED_MAX_BYTES
from playhead.backup.pack import File, file_of, make_folder
from playhead.log.database import connect, read_error

LEFT_OUT: Final = frozenset({"run", "store", "log"})
"""Folders that are taken otherwise, or say only what runs now."""
_ENDINGS: Final = (
    ".lock", ".lock.gate", ".gate", "-wal", "-shm", "-journal", ".new", ".tmp", ".log", "store.xml",
)  # fmt: skip
_SQLITE: Final = b"SQLite format 3\0"
JOBS_FILE: Final = "jobs.db"
_OWN_JOBS: Final = "DELETE FROM jobs WHERE kind = 'backup' AND state IN ('waiting', 'working')"
"""A restored folder must not go on with the backup it came from."""


def take_files(data_dir: Path, draft: Path) -> tuple[list[File], list[File]]:
    """Take the files as they are now; return the small ones, and those that deserve a pack.

    Raises:
        LogCorrupt, LogUnavailable, DiskLow: A SQLite file cannot be read.
    """
    small: list[File] = []
    large: list[File] = []
    for path in _walked(data_dir):
        name = path.relative_to(data_dir).as_posix()
        target = draft / name
        make_folder(target.parent)
        try:
            if _is_sqlite(path):
                _copy_database(path, target)
                large.append(file_of(target, name))
            elif path.stat().st_size > COPIED_MAX_BYTES:
                link(path, target)
                large.append(file_of(target, name))
            else:
                target.write_bytes(path.read_bytes())
                small.append(file_of(target, name))
        except FileNotFoundError:  # removed meanwhile
            continue
    return small, large


def needed_bytes(data_dir: Path) -> int:
    """Return about how much disk taking the files needs: the SQLite files are copied."""
    sizes = (path.stat().st_size for path in _walked(data_dir) if path.exists())
    newest = max((data_dir / "log").glob("*.db"), default=None)
    return sum(sizes) + (newest.stat().st_size if newest else 0)


def _walked(data_dir: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(data_dir):
        here = Path(folder)
        if here == data_dir:
            folders[:] = [name for name in folders if name not in LEFT_OUT]
        folders.sort()
        for name in sorted(names):
            path = here / name
            if not name.endswith(_ENDINGS) and path.is_file() and not path.is_symlink():
                yield path


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def _copy_database(path: Path, target: Path) -> None:
    try:
        with closing(connect(path, mode="ro")) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
            if path.name == JOBS_FILE:
                copy.execute(_OWN_JOBS)
                copy.commit()
    except sqlite3.Error as error:
        raise read_error(error, path) from error
