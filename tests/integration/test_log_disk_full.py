"""A really full disk: nothing is acknowledged that is not stored, and it resumes by itself."""

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from playhead import config
from playhead.clock import ManualClock, SystemClock
from playhead.errors import DiskLow
from playhead.log.appender import Appender
from playhead.log.base import Entry
from playhead.log.offsets import Intent, Ledger
from playhead.log.segments import SegmentLog

DISK_BYTES = 8 << 20
NO_FLOOR = config.Log(free_space_floor_bytes=0, segment_bytes=1 << 20, retention_bytes=1 << 40)


@pytest.fixture
def disk() -> Iterator[Path]:
    """Mount a disk of a few megabytes; needs the right to mount."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", folder]
        try:
            mounted = subprocess.run(command, capture_output=True, check=False)
        except FileNotFoundError:
            pytest.skip("no mount command here")
        if mounted.returncode != 0:
            pytest.skip(f"cannot mount a small disk here: {mounted.stderr.decode().strip()}")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def noise(number: int) -> Entry:
    return Entry("telemetry", str(number), 1, b"{}", os.urandom(20_000))


def fill(disk: Path, *, leave: int = 0) -> Path:
    """Take all free space but `leave` bytes; return the file that holds it."""
    ballast = disk / "ballast"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(free - leave, 1))
    return ballast


def append_until_low(log: SegmentLog, stored: list[Entry]) -> None:
    """Append until the log refuses; at most as much as the whole disk."""
    for number in range(DISK_BYTES // 20_000 + 1):
        sent = noise(number)
        try:
            assert log.append([sent]) == [len(stored)]
        except DiskLow:
            return
        stored.append(sent)
    raise AssertionError("the disk never was full")


def read_back(log: SegmentLog) -> list[Entry]:
    return [
        Entry(record.door, record.key, record.events, record.meta, record.body)
        for record in log.read(0, max_records=10_000, max_bytes=1 << 30)
    ]


@pytest.mark.parametrize("leave", [0, 40_000, 300_000, 1_500_000])
def test_acknowledged_is_stored_through_full_disks(disk: Path, leave: int) -> None:
    log = SegmentLog(disk / "log", NO_FLOOR, ManualClock(), writable=True)
    stored: list[Entry] = []
    for _ in range(3):
        stored.append(noise(0))
        log.append(stored[-1:])
        ballast = fill(disk, leave=leave)
        append_until_low(log, stored)
        assert log.bounds().next == len(stored)
        ballast.unlink()
    stored.append(noise(1))
    assert log.append(stored[-1:]) == [len(stored) - 1]
    assert read_back(log) == stored
    log.close()


async def append_while_disks_fill(disk: Path, log: SegmentLog) -> dict[int, Entry]:
    """Let callers append through three full disks; return what was acknowledged."""
    appender = Appender(log, NO_FLOOR, SystemClock())
    acknowledged: dict[int, Entry] = {}

    async def caller(number: int) -> int:
        refused = 0
        for _ in range(10):
            sent = noise(number)
            try:
                acknowledged[await appender.append(sent)] = sent
            except DiskLow:
                refused += 1
        return refused

    for _ in range(3):
        ballast = fill(disk, leave=400_000)
        refused = await asyncio.gather(*(caller(number) for number in range(16)))
        assert sum(refused) > 0
        ballast.unlink()
        sent = noise(0)
        acknowledged[await appender.append(sent)] = sent
    await appender.close()
    return acknowledged


async def test_concurrent_callers_are_told_the_truth_on_full_disks(disk: Path) -> None:
    log = SegmentLog(disk / "log", NO_FLOOR, SystemClock(), writable=True)
    acknowledged = await append_while_disks_fill(disk, log)
    assert dict(enumerate(read_back(log))) == acknowledged
    log.close()


def test_a_log_opens_on_a_full_disk_and_resumes(disk: Path) -> None:
    log = SegmentLog(disk / "log", NO_FLOOR, ManualClock(), writable=True)
    log.append([noise(0)])
    log.close()
    ballast = fill(disk)
    log = SegmentLog(disk / "log", NO_FLOOR, ManualClock(), writable=True)
    with pytest.raises(DiskLow):
        log.append([noise(1), noise(2), noise(3), noise(4)])
    ballast.unlink()
    assert log.append([noise(5)]) == [1]
    log.close()


def test_a_first_start_on_a_full_disk_resumes(disk: Path) -> None:
    ballast = fill(disk)
    log = SegmentLog(disk / "log", NO_FLOOR, ManualClock(), writable=True)
    assert log.bounds().next == 0
    with pytest.raises(DiskLow):
        log.append([noise(0)])
    ballast.unlink()
    assert log.append([noise(1)]) == [0]
    log.close()


def test_the_floor_refuses_before_the_disk_is_full(disk: Path) -> None:
    clock = ManualClock()
    settings = config.Log(free_space_floor_bytes=4 << 20)
    log = SegmentLog(disk / "log", settings, clock, writable=True)
    log.append([noise(0)])
    ballast = fill(disk, leave=3 << 20)
    clock.advance(500)
    with pytest.raises(DiskLow):
        log.append([noise(1)])
    ballast.unlink()
    clock.advance(500)
    assert log.append([noise(2)]) == [1]
    log.close()


def test_trim_frees_a_full_disk(disk: Path) -> None:
    settings = config.Log(free_space_floor_bytes=0, segment_bytes=1 << 20, retention_bytes=0)
    log = SegmentLog(disk / "log", settings, ManualClock(), writable=True)
    stored: list[Entry] = []
    append_until_low(log, stored)
    assert log.trim(len(stored)) > 0
    assert log.append([noise(0)]) == [len(stored)]
    log.close()


def test_the_ledger_survives_a_full_disk(disk: Path) -> None:
    ledger = Ledger(disk / "worker.db")
    ballast = fill(disk)
    with pytest.raises(DiskLow):
        ledger.intend(Intent(0, 5, 1_000, "x" * 500_000))
    ballast.unlink()
    ledger.intend(Intent(0, 5, 1_000))
    assert ledger.intents() == [Intent(0, 5, 1_000)]
    ledger.close()
