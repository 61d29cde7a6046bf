import sqlite3
from contextlib import closing
from pathlib import Path

from playhead.backup.folder import needed_bytes, take_files
from playhead.clock import ManualClock
from playhead.jobs.job import Job
from playhead.jobs.table import Jobs


def jobs_of(path: Path) -> Jobs:
    return Jobs(path, ManualClock(), kept_max=10, waiting_max=10)


def test_files_are_taken_and_what_runs_now_is_not(tmp_path: Path) -> None:
    data, draft = tmp_path / "data", tmp_path / "draft"
    for name in (
        "admin.token", "project/live.json", "project/build.lock", "project/build.lock.gate",
        "run/address", "store/metadata/playhead.sql", "log/writer.lock", "server.log", "store.xml",
    ):  # fmt: skip
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(name)
    (data / "imports").mkdir()
    (data / "imports" / "body").write_bytes(bytes(2 << 20))
    small, large = take_files(data, draft)
    assert sorted(file.name for file in small) == ["admin.token", "project/live.json"]
    assert [file.name for file in large] == ["imports/body"]
    assert (draft / "imports" / "body").stat().st_ino == (data / "imports" / "body").stat().st_ino
    assert needed_bytes(data) >= 2 << 20


def test_a_database_in_use_is_copied_as_a_whole(tmp_path: Path) -> None:
    data, draft = tmp_path / "data", tmp_path / "draft"
    data.mkdir()
    writer = sqlite3.connect(data / "some.db", isolation_level=None)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("CREATE TABLE t (n)")
    writer.execute("INSERT INTO t VALUES (1)")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO t VALUES (2)")
    small, large = take_files(data, draft)
    writer.execute("COMMIT")
    writer.close()
    assert (small, [file.name for file in large]) == ([], ["some.db"])
    with closing(sqlite3.connect(draft / "some.db")) as copy:
        assert copy.execute("SELECT n FROM t").fetchall() == [(1,)]


def test_a_restored_folder_does_not_go_on_with_its_backup(tmp_path: Path) -> None:
    data, draft = tmp_path / "data", tmp_path / "draft"
    jobs = jobs_of(data / "jobs.db")
    for id_, kind in (("1", "backup"), ("2", "import")):
        jobs.add(Job(id=id_, kind=kind))
        jobs.begin(id_)
    take_files(data, draft)
    jobs.close()
    copied = jobs_of(draft / "jobs.db")
    assert [job.kind for job in copied.newest()] == ["import"]
    copied.close()
