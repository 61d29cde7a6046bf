import errno
import sqlite3
from pathlib import Path

import pytest

from playhead.errors import DiskLow, LogCorrupt, LogUnavailable
from playhead.log.database import connect, read_error, write_error


def raised(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("trouble")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (raised(sqlite3.SQLITE_FULL), DiskLow),
        (raised(sqlite3.SQLITE_IOERR_WRITE), LogUnavailable),
        (raised(sqlite3.SQLITE_BUSY), LogUnavailable),
        (OSError(errno.ENOSPC, "full"), DiskLow),
        (OSError(errno.EDQUOT, "over quota"), DiskLow),
        (OSError(errno.EIO, "broken"), LogUnavailable),
    ],
)
def test_a_failed_write_says_if_the_disk_is_full(
    tmp_path: Path, error: sqlite3.Error | OSError, kind: type[Exception]
) -> None:
    assert type(write_error(error, tmp_path / "0.db")) is kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_IOERR_READ, LogUnavailable),
        (sqlite3.SQLITE_BUSY, LogUnavailable),
        (sqlite3.SQLITE_CORRUPT, LogCorrupt),
        (sqlite3.SQLITE_NOTADB, LogCorrupt),
        (sqlite3.SQLITE_ERROR, LogCorrupt),
    ],
)
def test_a_failed_read_says_if_the_file_is_damaged(
    tmp_path: Path, code: int, kind: type[Exception]
) -> None:
    error = read_error(raised(code), tmp_path / "0.db")
    assert type(error) is kind
    assert "0.db" in str(error)


def test_any_folder_name_can_be_opened(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=ro#b%20c" / "0.db"
    path.parent.mkdir()
    connect(path, mode="rwc").execute("CREATE TABLE t (x)").connection.close()
    assert path.stat().st_size > 0
