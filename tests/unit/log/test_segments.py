import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from playhead import config
from playhead.clock import ManualClock
from playhead.errors import (
    DataDirBusy,
    DiskLow,
    LogCorrupt,
    LogUnavailable,
    OffsetGone,
    SchemaTooNew,
)
from playhead.log.base import Bounds, Entry
from playhead.log.segment import segment_firsts, segment_path
from playhead.log.segments import SegmentLog

SETTINGS = config.Log(free_space_floor_bytes=0)
ONE_EACH = config.Log(free_space_floor_bytes=0, segment_bytes=1)
ENTRY = Entry("telemetry", "key", 2, b"{}", b"[1,2]")
ALL = {"max_records": 1_000, "max_bytes": 1 << 30}


def opened(folder: Path, settings: config.Log = SETTINGS, *, writable: bool = True) -> SegmentLog:
    return SegmentLog(folder, settings, ManualClock(), writable=writable)


def written(folder: Path, count: int, settings: config.Log = ONE_EACH) -> None:
    with closing(opened(folder, settings)) as log:
        for _ in range(count):
            log.append([ENTRY])


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


def test_files_are_named_after_their_first_offset(tmp_path: Path) -> None:
    written(tmp_path, 2)
    names = sorted(file.name for file in tmp_path.glob("*.db"))
    assert names == ["00000000000000000000.db", "00000000000000000001.db"]


def test_a_segment_ends_at_its_size(tmp_path: Path) -> None:
    written(tmp_path, 40, config.Log(free_space_floor_bytes=0, segment_bytes=40_000))
    assert len(segment_firsts(tmp_path)) == 1
    body = bytes(range(256)) * 40
    with closing(
        opened(tmp_path, config.Log(free_space_floor_bytes=0, segment_bytes=40_000))
    ) as log:
        for number in range(200):
            log.append([Entry("d", "k", 1, b"{}", body[number:])])
    assert len(segment_firsts(tmp_path)) > 1


def test_a_segment_ends_at_its_age(tmp_path: Path) -> None:
    clock = ManualClock()
    with closing(SegmentLog(tmp_path, SETTINGS, clock, writable=True)) as log:
        for step_ms in (0, SETTINGS.segment_age_ms - 1, 1):
            clock.advance(step_ms)
            log.append([ENTRY])
    assert segment_firsts(tmp_path) == [0, 2]


def test_every_commit_is_synced_to_disk(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as log:
        assert log._writer is not None
        connection = log._writer._connection
        assert connection is not None
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (1_000,)


def test_bodies_are_compressed_on_disk(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as log:
        log.append([Entry("d", "k", 1, b"{}", b"a" * 100_000)])
        query = "SELECT length(body) FROM records"
        with closing(sqlite3.connect(segment_path(tmp_path, 0))) as connection:
            assert connection.execute(query).fetchone()[0] < 1_000


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with closing(opened(tmp_path)), pytest.raises(DataDirBusy):
        opened(tmp_path)


def test_a_closed_log_takes_nothing(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.close()
    with pytest.raises(LogUnavailable):
        log.append([ENTRY])


def test_a_reader_does_not_write(tmp_path: Path) -> None:
    written(tmp_path, 1)
    with closing(opened(tmp_path, writable=False)) as log:
        with pytest.raises(LogUnavailable):
            log.append([ENTRY])
        with pytest.raises(LogUnavailable):
            log.trim(1)


def test_a_reader_may_come_first(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "log", writable=False)) as reader:
        assert reader.bounds() == Bounds(0, 0, 0, 0)
        assert (reader.read(0, **ALL), reader.events_before(0)) == ([], 0)
        written(tmp_path / "log", 3)
        assert [record.offset for record in reader.read(0, **ALL)] == [0, 1, 2]


def test_a_reader_holds_no_snapshot(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as log, closing(opened(tmp_path, writable=False)) as reader:
        for _ in range(10):
            log.append([ENTRY])
        reader.read(0, max_records=10, max_bytes=1)  # stops in the middle of its statement
        with closing(sqlite3.connect(segment_path(tmp_path, 0))) as connection:
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert busy == 0


def test_a_reader_goes_on_while_retention_unlinks(tmp_path: Path) -> None:
    settings = config.Log(free_space_floor_bytes=0, segment_bytes=1, retention_bytes=0)
    with (
        closing(opened(tmp_path, settings)) as log,
        closing(opened(tmp_path, writable=False)) as reader,
    ):
        for _ in range(8):
            log.append([ENTRY])
        reader.read(0, **ALL)
        log.trim(6)
        assert reader.bounds().first == 6
        with pytest.raises(OffsetGone):
            reader.read(5, **ALL)


def test_trim_unlinks_the_companions(tmp_path: Path) -> None:
    settings = config.Log(free_space_floor_bytes=0, segment_bytes=1, retention_bytes=0)
    with closing(opened(tmp_path, settings)) as log:
        for _ in range(3):
            log.append([ENTRY])
        log.read(0, **ALL)
        log.trim(3)
        names = {file.name.partition(".")[0] for file in tmp_path.iterdir()}
    assert names == {f"{2:020d}", "writer"}


def test_an_empty_newest_segment_is_fine(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as log:
        log.append([ENTRY])
        before = log.bounds()
        assert log._writer is not None
        log._writer._settings = ONE_EACH
        log._writer._roll(before.newest_received_at)  # and then the process dies
    with closing(opened(tmp_path)) as log:
        assert segment_firsts(tmp_path) == [0, 1]
        assert log.bounds() == before
        assert log.append([ENTRY]) == [1]


def test_a_half_made_segment_is_swept_away(tmp_path: Path) -> None:
    written(tmp_path, 1)
    for name in (f"{1:020d}.new", f"{1:020d}.new-wal", f"{7:020d}.db-wal"):
        (tmp_path / name).write_bytes(b"half")
    written(tmp_path, 2)
    with closing(opened(tmp_path)) as log:
        assert [record.offset for record in log.read(0, **ALL)] == [0, 1, 2]
    assert not list(tmp_path.glob("*.new*")) + list(tmp_path.glob(f"{7:020d}*"))


@pytest.mark.parametrize("size", [0, 100, 8192, 20_000])
def test_a_truncated_newest_segment_is_refused(tmp_path: Path, size: int) -> None:
    with closing(opened(tmp_path)) as log:
        log.append([Entry("d", "k", 1, b"{}", bytes(range(256)) * 8)] * 3_000)
    path = segment_path(tmp_path, 0)
    with path.open("r+b") as file:
        file.truncate(size)
    with pytest.raises(LogCorrupt, match=path.name):
        opened(tmp_path)


def test_a_refused_log_is_not_left_locked(tmp_path: Path) -> None:
    segment_path(tmp_path, 0).write_bytes(b"no database, but long enough to look like one" * 9)
    with pytest.raises(LogCorrupt):
        opened(tmp_path)
    segment_path(tmp_path, 0).unlink()
    written(tmp_path, 1)


def test_a_renamed_segment_is_refused(tmp_path: Path) -> None:
    written(tmp_path, 1)
    segment_path(tmp_path, 0).rename(segment_path(tmp_path, 9))
    with pytest.raises(LogCorrupt, match="not the segment its name says"):
        opened(tmp_path)


def test_a_segment_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    written(tmp_path, 1)
    change(segment_path(tmp_path, 0), "PRAGMA user_version=2")
    with pytest.raises(SchemaTooNew):
        opened(tmp_path)


def test_a_missing_row_is_damage(tmp_path: Path) -> None:
    written(tmp_path, 5, SETTINGS)
    change(segment_path(tmp_path, 0), "DELETE FROM records WHERE offset = 2")
    with closing(opened(tmp_path)) as log, pytest.raises(LogCorrupt, match="lacks offset 2"):
        log.read(0, **ALL)


def test_a_damaged_body_is_named(tmp_path: Path) -> None:
    written(tmp_path, 3, SETTINGS)
    change(segment_path(tmp_path, 0), "UPDATE records SET form = 1 WHERE offset = 1")
    with closing(opened(tmp_path)) as log, pytest.raises(LogCorrupt, match="Offset 1"):
        log.read(0, **ALL)


def test_a_segment_moved_away_is_a_gap_with_an_end(tmp_path: Path) -> None:
    written(tmp_path, 4)
    segment_path(tmp_path, 1).unlink()
    with closing(opened(tmp_path)) as log:
        assert len(log.read(0, **ALL)) == 1
        with pytest.raises(OffsetGone, match="2 is next"):
            log.read(1, **ALL)
        with pytest.raises(OffsetGone, match="2 is next"):
            log.events_before(1)


def test_a_stale_write_ahead_file_is_not_replayed(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    with closing(opened(here, ONE_EACH)) as log, closing(opened(there)) as other:
        log.append([ENTRY])
        other.append([ENTRY, ENTRY, ENTRY])
        stale = (there / f"{0:020d}.db-wal").read_bytes()
        (here / f"{1:020d}.db-wal").write_bytes(stale)  # its segment was moved away
        assert log.append([ENTRY]) == [1]
        assert len(log.read(0, **ALL)) == 2


@pytest.mark.parametrize("moved", [[1], [0, 1]])
def test_offsets_a_consumer_passed_are_not_given_again(tmp_path: Path, moved: list[int]) -> None:
    written(tmp_path, 2)
    for first in moved:
        segment_path(tmp_path, first).unlink()
    for expected in (2, 3):
        with closing(
            SegmentLog(tmp_path, ONE_EACH, ManualClock(), writable=True, resume_at=2)
        ) as log:
            assert log.append([ENTRY]) == [expected]
            assert log.read(2, **ALL)[0].offset == 2


def test_a_disk_below_the_floor_takes_nothing(tmp_path: Path) -> None:
    with closing(opened(tmp_path, config.Log(free_space_floor_bytes=1 << 62))) as log:
        with pytest.raises(DiskLow):
            log.append([ENTRY])
        assert log.bounds().next == 0


def test_it_recovers_from_a_failed_commit(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as log:
        log.append([ENTRY])
        assert log._writer is not None
        assert log._writer._connection is not None
        log._writer._connection.execute("PRAGMA query_only=1")  # a disk that refuses
        with pytest.raises(LogUnavailable):
            log.append([ENTRY] * 100)
        assert log.bounds().next == 1
        assert log.append([ENTRY]) == [1]
