import sqlite3
from pathlib import Path

import pytest

from playhead.backup.pack import key_of
from playhead.backup.segments import copy_open, hold
from playhead.clock import ManualClock
from playhead.config import Log
from playhead.errors import LogUnavailable
from playhead.log.base import Entry
from playhead.log.segments import SegmentLog

MAX = 1 << 20


def entry(text: bytes) -> Entry:
    return Entry(door="telemetry", key="k", events=1, meta=b"{}", body=text)


def log_of(data: Path, clock: ManualClock, *, writable: bool = True) -> SegmentLog:
    return SegmentLog(
        data / "log", Log(segment_age_ms=1_000, free_space_floor_bytes=0), clock, writable=writable
    )


def test_the_log_is_taken_up_to_the_moment(tmp_path: Path) -> None:
    clock, data, draft = ManualClock(), tmp_path / "data", tmp_path / "draft"
    log = log_of(data, clock)
    for number in range(5):
        log.append([entry(b"%d" % number)])
        clock.advance(600)
    held = hold(data, draft)
    log.append([entry(b"later")])
    packs = [*held.closed, *copy_open(data, draft, held, 0)]
    log.close()
    assert len(held.closed) + len(held.open) == len(packs) >= 2
    taken = log_of(draft, clock, writable=False)
    assert [one.body for one in taken.read(0, max_records=99, max_bytes=MAX)] == [
        b"0", b"1", b"2", b"3", b"4",
    ]  # fmt: skip
    assert taken.bounds().events_total == 5
    taken.close()


def test_a_closed_segment_has_the_same_stamp_and_name_again(tmp_path: Path) -> None:
    clock, data = ManualClock(), tmp_path / "data"
    log = log_of(data, clock)
    for number in range(3):
        log.append([entry(b"%d" % number)])
        clock.advance(2_000)
    one, two = (hold(data, tmp_path / name).closed for name in ("one", "two"))
    log.close()
    assert one
    assert [(p.stamp, key_of(p)) for p in one] == [(p.stamp, key_of(p)) for p in two]


def test_a_write_ahead_file_that_was_left_is_not_forgotten(tmp_path: Path) -> None:
    clock, data, draft = ManualClock(), tmp_path / "data", tmp_path / "draft"
    log = log_of(data, clock)
    log.append([entry(b"first")])
    (first,) = (data / "log").glob("*.db")
    reader = sqlite3.connect(f"file:{first}?mode=ro", uri=True)  # keeps the file's end in the WAL
    reader.execute("SELECT count(*) FROM records").fetchone()
    log.append([entry(b"second")])
    clock.advance(2_000)
    log.append([entry(b"third")])
    held = hold(data, draft)
    copy_open(data, draft, held, 0)
    reader.close()
    log.close()
    assert held.open[0] == (0, 2)
    taken = log_of(draft, clock, writable=False)
    assert [one.body for one in taken.read(0, max_records=9, max_bytes=MAX)] == [
        b"first", b"second", b"third",
    ]  # fmt: skip
    taken.close()


def test_what_retention_removed_meanwhile_is_missed_only_where_it_is_needed(tmp_path: Path) -> None:
    clock, data = ManualClock(), tmp_path / "data"
    log = log_of(data, clock)
    log.append([entry(b"first")])
    held = hold(data, tmp_path / "draft")
    log.close()
    (path,) = (data / "log").glob("*.db")
    path.unlink()
    with pytest.raises(LogUnavailable, match="No backup was made"):
        copy_open(data, tmp_path / "draft", held, 0)
    assert copy_open(data, tmp_path / "draft", held, 1) == []


def test_a_folder_without_a_log_is_taken_as_it_is(tmp_path: Path) -> None:
    held = hold(tmp_path / "data", tmp_path / "draft")
    assert (held.next, held.closed, held.open) == (0, [], [])
    assert copy_open(tmp_path / "data", tmp_path / "draft", held, 0) == []
