"""SQLite files of the log: how they are opened, and what their errors mean."""

import errno
import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from playhead.errors import DiskLow, LogCorrupt, LogUnavailable, PlayheadError

BUSY_TIMEOUT_S = 5.0
"""How long a statement waits for another process that repairs the same file after a crash."""

WAL_PAGES = 1_000
"""Pages in the write-ahead file after which a commit moves them into the main file."""

WAL_KEPT_BYTES = 64 << 20
"""A write-ahead file that grew larger, behind a slow reader, is cut back to this."""

DISK_LOW_RETRY_S = 5

_TRANSIENT = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
_FULL_ERRNOS = {errno.ENOSPC, errno.EDQUOT}
_FULL_BELOW_BYTES = 256 << 10  # less free than this, an I/O error on our files is a full disk


def connect(path: Path, *, mode: str, statements: int = 128) -> sqlite3.Connection:
    """Open a SQLite file in autocommit mode.

    Args:
        path: The file.
        mode: `ro`, `rw`, or `rwc` to create it; `ro` never moves pages of the write-ahead file.
        statements: Prepared statements kept.

    Raises:
        sqlite3.Error: The file cannot be opened; see `write_error` and `read_error`.
    """
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}",
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=statements,
    )


def make_durable(connection: sqlite3.Connection) -> None:
    """Let every commit of this connection reach the disk before it returns."""
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA fullfsync=1")  # on macOS plain fsync stops at the drive's cache
    connection.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit={WAL_KEPT_BYTES}")


def companions(path: Path) -> tuple[Path, Path]:
    """Return the write-ahead file and the shared-memory file that belong to a SQLite file."""
    return path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")


def write_error(error: sqlite3.Error | OSError, path: Path) -> PlayheadError:
    """Return what a failed write to `path` means to the one who asked for it."""
    if _is_full(error, path):
        return DiskLow(
            f"The disk of {path.parent} is full; nothing of this request was stored.",
            retry_after_s=DISK_LOW_RETRY_S,
        )
    return LogUnavailable(
        f"{path.name} cannot be written ({error}); nothing of this request was stored."
    )


def read_error(error: sqlite3.Error, path: Path) -> PlayheadError:
    """Return what a failed read of `path` means: a full disk, a passing trouble, or damage."""
    if _is_full(error, path):  # even reading needs a little: SQLite's shared memory
        return DiskLow(
            f"The disk of {path.parent} is full; {path.name} cannot be opened.",
            retry_after_s=DISK_LOW_RETRY_S,
        )
    if _code(error) in _TRANSIENT:
        return LogUnavailable(f"{path.name} cannot be read at the moment ({error}).")
    return LogCorrupt(f"{path} is damaged and cannot be read ({error}).")


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_full(error: sqlite3.Error | OSError, path: Path) -> bool:
    if isinstance(error, OSError):
        return error.errno in _FULL_ERRNOS
    if _code(error) == sqlite3.SQLITE_FULL:
        return True
    if _code(error) not in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}:
        return False
    try:
        disk = os.statvfs(path.parent)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < _FULL_BELOW_BYTES
