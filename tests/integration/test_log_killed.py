"""`kill -9` of the writing process, again and again: what was acknowledged is there, once."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from playhead import config
from playhead.clock import SystemClock
from playhead.log.base import Record
from playhead.log.segment import segment_firsts
from playhead.log.segments import SegmentLog

CHILD = Path(__file__).with_name("log_writing.py")
KILLS = 5


def write_and_kill(folder: Path, run: int, lines: int) -> list[tuple[int, str]]:
    """Let a child append, kill it after it acknowledged `lines` batches; return all it did."""
    command = [sys.executable, str(CHILD), str(folder), str(run)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        acknowledged = [child.stdout.readline() for _ in range(lines)]
        child.send_signal(signal.SIGKILL)
        acknowledged += child.stdout.readlines()
    pairs = [line.decode().split() for line in acknowledged if line.endswith(b"\n")]
    return [(int(offset), text) for offset, text in pairs]


def read_all(folder: Path) -> list[Record]:
    log = SegmentLog(folder, config.Log(), SystemClock(), writable=False)
    records: list[Record] = []
    while more := log.read(len(records), max_records=5_000, max_bytes=1 << 30):
        records += more
    log.close()
    return records


def test_no_acknowledged_batch_is_lost_or_doubled(tmp_path: Path) -> None:
    moments = random.Random(os.getpid())
    acknowledged: list[tuple[int, str]] = []
    for run in range(KILLS):
        acknowledged += write_and_kill(tmp_path, run, moments.randrange(1, 3_000))
    records = read_all(tmp_path)
    texts = [record.key for record in records]
    assert [record.offset for record in records] == list(range(len(records)))
    assert len(set(texts)) == len(texts)
    assert [(offset, texts[offset]) for offset, _ in acknowledged] == acknowledged
    assert len(acknowledged) >= KILLS
    assert len(segment_firsts(tmp_path)) > 1


def test_what_is_read_after_kills_is_whole(tmp_path: Path) -> None:
    for run in range(2):
        write_and_kill(tmp_path, run, 200)
    for record in read_all(tmp_path):
        turn = int(record.key.rpartition("/")[2])
        assert record.body == f"{record.key} ".encode() * (turn % 40 + 1)


def test_received_at_is_monotone_across_kills(tmp_path: Path) -> None:
    for run in range(2):
        write_and_kill(tmp_path, run, 50)
    times = [record.received_at for record in read_all(tmp_path)]
    assert times == sorted(times)


def test_a_reader_follows_the_writer_over_rotations(tmp_path: Path) -> None:
    reader = SegmentLog(tmp_path, config.Log(), SystemClock(), writable=False)
    assert reader.bounds().next == 0
    command = [sys.executable, str(CHILD), str(tmp_path), "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as child:
        seen: list[Record] = []
        while len(segment_firsts(tmp_path)) < 4:
            assert child.poll() is None
            bounds = reader.bounds()
            seen += reader.read(len(seen), max_records=100, max_bytes=1 << 20)
            assert bounds.next <= reader.bounds().next
        child.kill()
    while more := reader.read(len(seen), max_records=100, max_bytes=1 << 20):
        seen += more
    bounds = reader.bounds()
    reader.close()
    assert [record.offset for record in seen] == list(range(bounds.next))
    assert bounds.events_total == len(seen)


def test_no_second_process_may_write(tmp_path: Path) -> None:
    command = [sys.executable, str(CHILD), str(tmp_path), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        first.stdout.readline()
        second = subprocess.run(command, capture_output=True, check=False, timeout=60)
        first.kill()
    assert b"DataDirBusy" in second.stderr
    assert str(first.pid).encode() in second.stderr
