import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from playhead.log.sqlite_version import user_version


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_the_newest_committed_version_is_read_and_nothing_changes(
    tmp_path: Path, mode: str
) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(f"PRAGMA journal_mode={mode}")
        database.execute("PRAGMA user_version=3")
        database.execute("CREATE TABLE t (x)")
        before = files(tmp_path)
        assert user_version(path) == 3  # in WAL mode it is in the write-ahead file alone
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert user_version(path) == 3
        assert mode == "WAL" or files(tmp_path) == before


def test_what_was_not_committed_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA cache_size=1")  # so that pages reach the file before the commit
        database.execute("PRAGMA user_version=1")
        database.execute("CREATE TABLE t (x)")
        database.execute("BEGIN")
        database.execute("PRAGMA user_version=2")
        database.executemany("INSERT INTO t VALUES (?)", [("x" * 5_000,)] * 50)
        assert user_version(path) == 1
        database.execute("COMMIT")
        assert user_version(path) == 2


@pytest.mark.parametrize("content", [b"", b"no database at all " * 20])
def test_other_files_have_no_version(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.db"
    assert user_version(path) is None
    path.write_bytes(content)
    assert user_version(path) is None
