"""What is no longer in the log is stepped over, counted and said; what is there is stored."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from playhead import config
from playhead.clock import Clock, ManualClock, SystemClock
from playhead.config import Config, Data, Process
from playhead.log.base import Entry
from playhead.log.offsets import Intent, Ledger
from playhead.log.segment import segment_path
from playhead.log.segments import SegmentLog
from playhead.process.worker import Worker
from support.running_store import RunningStore, running_store

ONE_RECORD_A_SEGMENT = config.Log(segment_bytes=1, free_space_floor_bytes=0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunningStore]:
    with running_store(tmp_path / "store") as running:
        yield running


def filled(folder: Path, clock: ManualClock, records: int) -> SegmentLog:
    log = SegmentLog(folder, ONE_RECORD_A_SEGMENT, clock, writable=True)
    for number in range(records):
        clock.advance(1_000)
        event = {"eventType": "PLAY", "timestamp": clock.now_ms(), "viewId": f"v{number}", "seq": 0}
        log.append([Entry("telemetry", "s", 1, b"", msgspec.json.encode([event]))])
    return log


def work_until(
    settings: Config, log: SegmentLog, ledger: Ledger, running: RunningStore, clock: Clock
) -> list[BaseException]:
    worker = Worker(settings, log, running.client, ledger, clock)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            worker.run()
        except BaseException as error:  # noqa: BLE001 (the test asks which)
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while thread.is_alive() and ledger.position() < log.bounds().next:
        time.sleep(0.02)
    worker.stop()
    thread.join()
    return failed


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("gone", [[1], [0, 1]])
def test_the_worker_goes_on_behind_a_gap(
    store: RunningStore, tmp_path: Path, gone: list[int], *, begun: bool
) -> None:
    clock = ManualClock(SystemClock().now_ms() - 60_000)
    settings = Config(data=Data(dir=str(tmp_path)), process=Process(flush_ms=0), log=config.Log(
        free_space_floor_bytes=0))  # fmt: skip
    with (
        closing(filled(tmp_path / "log", clock, 4)) as log,
        closing(Ledger(tmp_path / "worker.db")) as ledger,
    ):
        ledger.advance(1, {"stored": 1})
        if begun:
            ledger.intend(Intent(1, 2, clock.now_ms()))
        for first in gone:
            segment_path(tmp_path / "log", first).unlink()
        assert work_until(settings, log, ledger, store, clock) == []
        assert ledger.counts() == {
            "stored": 3, "dropped:log_gap": 1,
        }  # fmt: skip
