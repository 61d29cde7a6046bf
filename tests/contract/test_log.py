"""What every implementation of `playhead.log.base.Log` must do."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from playhead import config
from playhead.clock import ManualClock
from playhead.errors import OffsetGone
from playhead.log.base import Bounds, Entry, Log
from playhead.log.memory import MemoryLog
from playhead.log.segments import SegmentLog

ALL = {"max_records": 1_000, "max_bytes": 1 << 30}
KEEP_ALL = config.Log(free_space_floor_bytes=0)
ONE_EACH = config.Log(free_space_floor_bytes=0, segment_bytes=1, retention_bytes=1 << 40)

Open = Callable[[config.Log], Log]


def entry(text: str, *, events: int = 1) -> Entry:
    return Entry("telemetry", f"key {text}", events, b'{"meta":1}', text.encode())


def bodies(log: Log, offset: int = 0) -> list[str]:
    return [record.body.decode() for record in log.read(offset, **ALL)]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["memory", "segments"])
def open_log(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Iterator[Open]:
    """Open the log, closing the one before: a second call is a restart."""
    opened: list[Log] = []

    def open_one(settings: config.Log) -> Log:
        if request.param == "memory":
            if not opened:
                opened.append(MemoryLog(settings, clock))
            return opened[-1]
        if opened:
            opened[-1].close()
        opened.append(SegmentLog(tmp_path / "log", settings, clock, writable=True))
        return opened[-1]

    yield open_one
    if opened:
        opened[-1].close()


@pytest.fixture
def log(open_log: Open) -> Log:
    return open_log(KEEP_ALL)


def test_offsets_are_dense_and_start_at_zero(log: Log) -> None:
    assert log.append([entry("a"), entry("b")]) == [0, 1]
    assert log.append([entry("c")]) == [2]


def test_a_record_is_what_was_appended(log: Log, clock: ManualClock) -> None:
    sent = Entry("beacon", "session 1", 3, b'{"country":"DE"}', b'[{"a":"\xc3\xa9"}]' * 40)
    log.append([sent])
    record = log.read(0, **ALL)[0]
    assert (record.offset, record.received_at) == (0, clock.now_ms())
    assert Entry(record.door, record.key, record.events, record.meta, record.body) == sent


def test_nothing_appended_is_no_commit(log: Log) -> None:
    assert log.append([]) == []
    assert log.bounds() == Bounds(0, 0, 0, 0)


def test_one_commit_may_be_large(log: Log) -> None:
    offsets = log.append([entry(str(number)) for number in range(300)])
    assert offsets == list(range(300))
    assert bodies(log) == [str(number) for number in range(300)]


def test_it_reads_from_an_offset_on(log: Log) -> None:
    log.append([entry("a"), entry("b"), entry("c")])
    assert bodies(log, 1) == ["b", "c"]
    assert bodies(log, 3) == []


def test_it_reads_at_most_max_records(log: Log) -> None:
    log.append([entry("a"), entry("b"), entry("c")])
    assert len(log.read(0, max_records=2, max_bytes=1 << 30)) == 2


@pytest.mark.parametrize(("max_bytes", "count"), [(1, 1), (10, 1), (11, 2), (20, 2), (21, 3)])
def test_the_record_that_reaches_max_bytes_is_the_last(
    log: Log, max_bytes: int, count: int
) -> None:
    log.append([entry("0123456789") for _ in range(5)])
    assert len(log.read(0, max_records=100, max_bytes=max_bytes)) == count


def test_max_bytes_counts_bodies_as_they_came(log: Log) -> None:
    log.append([entry("a" * 10_000) for _ in range(3)])  # a few bytes each once compressed
    assert len(log.read(0, max_records=100, max_bytes=15_000)) == 2


def test_limits_hold_across_segments(open_log: Open) -> None:
    log = open_log(ONE_EACH)
    for text in ("0123456789", "b", "c", "d"):
        log.append([entry(text)])
    assert len(log.read(0, max_records=3, max_bytes=1 << 30)) == 3
    assert len(log.read(0, max_records=9, max_bytes=11)) == 2


def test_it_goes_on_after_a_restart(open_log: Open) -> None:
    open_log(KEEP_ALL).append([entry("a"), entry("b")])
    log = open_log(KEEP_ALL)
    assert log.append([entry("c")]) == [2]
    assert bodies(log) == ["a", "b", "c"]


def test_received_at_never_goes_back(open_log: Open, clock: ManualClock) -> None:
    log = open_log(KEEP_ALL)
    times = []
    for step_ms in (0, 500, -90_000, 100):
        clock.advance(step_ms)
        offset = log.append([entry("x")])[0]
        times.append(log.read(offset, **ALL)[0].received_at)
    assert times == [times[0], times[0] + 500, times[0] + 500, times[0] + 500]


@pytest.mark.parametrize("settings", [KEEP_ALL, ONE_EACH])
def test_received_at_never_goes_back_across_a_restart(
    open_log: Open, clock: ManualClock, settings: config.Log
) -> None:
    open_log(settings).append([entry("a")])
    before = clock.now_ms()
    clock.advance(-3_600_000)
    log = open_log(settings)
    log.append([entry("b")])
    assert log.bounds().newest_received_at == before
    assert [record.received_at for record in log.read(0, **ALL)] == [before, before]


def test_bounds_follow_appends(log: Log, clock: ManualClock) -> None:
    log.append([entry("a", events=20), entry("b", events=5)])
    assert log.bounds() == Bounds(0, 2, 25, clock.now_ms())


def test_events_before_counts_all_ever_appended(open_log: Open) -> None:
    log = open_log(ONE_EACH)
    for events in (20, 0, 5):
        log.append([entry("x", events=events)])
    assert [log.events_before(offset) for offset in range(4)] == [0, 20, 20, 25]


def test_events_before_looks_inside_a_commit(log: Log) -> None:
    log.append([entry("x", events=20), entry("x", events=0), entry("x", events=5)])
    assert [log.events_before(offset) for offset in range(4)] == [0, 20, 20, 25]


def test_counts_survive_a_restart(open_log: Open, clock: ManualClock) -> None:
    for events in (20, 5):
        open_log(ONE_EACH).append([entry("x", events=events)])
    assert open_log(ONE_EACH).bounds() == Bounds(0, 2, 25, clock.now_ms())


def test_trim_needs_both_read_and_too_old(open_log: Open, clock: ManualClock) -> None:
    log = open_log(ONE_EACH)
    for text in "abcd":
        log.append([entry(text)])
    assert log.trim(4) == 0  # read, but young and small
    clock.advance(ONE_EACH.retention_age_ms + 1)
    log.append([entry("e")])
    assert log.trim(2) == 2  # old, but read only up to 2
    assert bodies(log, 2) == ["c", "d", "e"]


def test_trim_keeps_the_newest_segment(open_log: Open, clock: ManualClock) -> None:
    log = open_log(ONE_EACH)
    log.append([entry("a")])
    log.append([entry("b")])
    clock.advance(2 * ONE_EACH.retention_age_ms)
    assert log.trim(2) == 1
    assert log.bounds().first == 1


def test_trim_by_size_takes_the_oldest(open_log: Open) -> None:
    log = open_log(config.Log(free_space_floor_bytes=0, segment_bytes=1, retention_bytes=0))
    for text in "abcd":
        log.append([entry(text, events=2)])
    assert log.trim(3) == 3
    assert (log.bounds().first, log.bounds().events_total) == (3, 8)


def test_a_segment_partly_unread_stays(open_log: Open) -> None:
    log = open_log(config.Log(free_space_floor_bytes=0, segment_bytes=1, retention_bytes=0))
    log.append([entry("a"), entry("b")])
    log.append([entry("c")])
    assert log.trim(1) == 0
    assert bodies(log) == ["a", "b", "c"]


def test_a_trimmed_offset_is_gone(open_log: Open) -> None:
    log = open_log(config.Log(free_space_floor_bytes=0, segment_bytes=1, retention_bytes=0))
    for text in "abc":
        log.append([entry(text)])
    log.trim(3)
    with pytest.raises(OffsetGone, match="starts at 2"):
        log.read(0, **ALL)
    with pytest.raises(OffsetGone):
        log.events_before(1)


def test_appending_goes_on_after_trim(open_log: Open) -> None:
    settings = config.Log(free_space_floor_bytes=0, segment_bytes=1, retention_bytes=0)
    log = open_log(settings)
    for text in "abc":
        log.append([entry(text)])
    log.trim(3)
    log = open_log(settings)
    assert log.append([entry("d")]) == [3]
    assert bodies(log, 2) == ["c", "d"]
