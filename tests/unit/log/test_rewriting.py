import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from playhead import config
from playhead.clock import ManualClock
from playhead.errors import LogUnavailable
from playhead.log.base import Entry, Record
from playhead.log.segment import segment_firsts
from playhead.log.segments import SegmentLog

SETTINGS = config.Log(free_space_floor_bytes=0)
ALL = {"max_records": 1_000, "max_bytes": 1 << 30}
SECRET = b"find me" * 20


def opened(folder: Path, *, writable: bool = True) -> SegmentLog:
    return SegmentLog(folder, SETTINGS, ManualClock(), writable=writable)


def entry(body: bytes) -> Entry:
    return Entry("telemetry", "key", 2, b"{}", body)


def without_secret(record: Record) -> Record | None:
    return msgspec.structs.replace(record, body=b"[]") if SECRET in record.body else None


def test_a_changed_record_keeps_its_place_and_the_old_bytes_are_gone(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as log, closing(opened(tmp_path, writable=False)) as reader:
        log.append([entry(b"[1]"), entry(SECRET), entry(b"[3]")])
        assert reader.read(0, **ALL)[1].body == SECRET
        end = log.close_segment()
        log.append([entry(SECRET)])
        assert log.rewrite(without_secret, before=end) == 1
        for one in (log, reader):
            assert [record.body for record in one.read(0, **ALL)] == [b"[1]", b"[]", b"[3]", SECRET]
        assert log.events_before(3) == 6
    assert all(SECRET not in path.read_bytes() for path in tmp_path.glob(f"{0:020d}.db*"))


def test_the_newest_segment_and_those_before_consumers_stay(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as log:
        log.append([entry(SECRET)])
        end = log.close_segment()
        assert log.close_segment() == end
        assert log.rewrite(without_secret, before=0) == 0
        assert log.read(0, **ALL)[0].body == SECRET
    assert segment_firsts(tmp_path) == [0, 1]


def test_one_that_is_cut_off_leaves_the_old_segment(tmp_path: Path) -> None:
    calls = 0

    def failing(record: Record) -> Record | None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt
        return without_secret(record)

    with closing(opened(tmp_path)) as log:
        log.append([entry(SECRET), entry(b"[2]"), entry(SECRET)])
        end = log.close_segment()
        with pytest.raises(KeyboardInterrupt):
            log.rewrite(failing, before=end)
        assert log.read(0, **ALL)[0].body == SECRET
    with closing(opened(tmp_path)) as log:
        assert not list(tmp_path.glob("*.new*"))
        assert log.rewrite(without_secret, before=end) == 2


def test_a_segment_that_somebody_reads_waits(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as log:
        log.append([entry(SECRET)])
        end = log.close_segment()
        log.append([entry(b"[]")])
        with closing(sqlite3.connect(tmp_path / f"{0:020d}.db")) as other:
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM records").fetchone()
            before = log.read(0, **ALL)[0].body
            try:
                log.rewrite(without_secret, before=end)
            except LogUnavailable:
                assert log.read(0, **ALL)[0].body == before
        assert log.rewrite(without_secret, before=end) in {0, 1}
        assert log.read(0, **ALL)[0].body == b"[]"
