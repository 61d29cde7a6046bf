"""The worker dies between any two steps of a load: every event is there once all the same."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead import config
from playhead.clock import ManualClock, SystemClock
from playhead.config import Config, Data, Process
from playhead.errors import StoreUnavailable
from playhead.log.base import Entry
from playhead.log.memory import MemoryLog
from playhead.log.offsets import Ledger
from playhead.process.worker import Worker
from playhead.store.client import StoreClient
from support.running_store import RunningStore, running_store
from support.working import run_until

START_MS = SystemClock().now_ms() - 600_000


class Crashed(BaseException):
    """The process is gone: nothing after this line runs."""


class CrashingStore(StoreClient):
    """The real client, dying before or after its n-th insert."""

    def arm(self, insert: int, *, after: bool) -> None:
        self.left, self.after = insert, after

    def insert(self, table: str, columns: Sequence[str], body: bytes, *, token: str) -> None:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Crashed
        super().insert(table, columns, body, token=token)
        if self.left == 0:
            raise Crashed


def batch(view: int, first: int, count: int, *, received_at: int) -> Entry:
    events = [
        {"eventType": "PLAYING" if seq else "PLAY", "timestamp": received_at - 1000 + seq,
         "viewId": f"v{view}", "seq": seq, "sessionId": "s", "playbackPositionSec": seq}
        for seq in range(first, first + count)
    ]  # fmt: skip
    return Entry("telemetry", "s", count, b"", msgspec.json.encode(events))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunningStore]:
    with running_store(tmp_path / "store") as running:
        yield running


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("insert", [1, 2, 3, 4])
def test_a_crash_at_any_insert_changes_nothing(
    store: RunningStore, tmp_path: Path, insert: int, *, after: bool
) -> None:
    clock = ManualClock(START_MS)
    log = MemoryLog(config.Log(), clock)
    name = f"p{insert}{after}"
    settings = Config(data=Data(dir=str(tmp_path)), process=Process(flush_ms=0, batch_events=20))

    def fill() -> None:
        for step in range(6):
            clock.advance(5_000)
            entry = batch(step % 3, step // 3 * 10, 10, received_at=clock.now_ms())
            meta = msgspec.json.encode({"context": {"property": name}})
            log.append([msgspec.structs.replace(entry, meta=meta)])

    fill()
    crashing = CrashingStore(store.location)
    crashing.arm(insert, after=after)
    ledger = Ledger(tmp_path / "worker.db")
    failed = run_until(Worker(settings, log, crashing, ledger, clock), lambda: False)
    assert [type(error) for error in failed] == [Crashed]
    ledger.close()
    crashing.close()
    ledger = Ledger(tmp_path / "worker.db")
    client = StoreClient(store.location)
    again = Worker(settings, log, client, ledger, clock)
    run_until(again, lambda: ledger.position() == log.bounds().next)
    assert ledger.counts()["stored"] == 60
    assert ledger.counts().get("duplicates", 0) == 0
    where: dict[str, Any] = {"p": name}
    stored = "SELECT count(), uniqExact(view_key, identity) FROM events WHERE property = {p:String}"
    assert client.rows(stored, where).rows == [[60, 60]]
    views = "SELECT count(), sum(events) FROM views FINAL WHERE property = {p:String}"
    assert client.rows(views, where).rows == [[3, 60]]
    ledger.close()
    client.close()


class LosingStore(StoreClient):
    """The real client over a disk that was full: one insert fails and its repetition adds nothing.

    So it was seen: the engine remembers the token of a block it lost.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.calls: dict[str, int] = {}

    def insert(self, table: str, columns: Sequence[str], body: bytes, *, token: str) -> None:
        self.calls[token] = calls = self.calls.get(token, 0) + 1
        if ":again" in token or token.partition(":")[2] != "0-2":
            super().insert(table, columns, body, token=token)
        elif calls == 1:
            raise StoreUnavailable


def test_a_block_whose_token_outlived_it_is_added_under_another(
    store: RunningStore, tmp_path: Path
) -> None:
    clock = ManualClock(START_MS)
    log = MemoryLog(config.Log(), clock)
    settings = Config(data=Data(dir=str(tmp_path)), process=Process(flush_ms=0, batch_events=20))
    for step in range(6):
        clock.advance(5_000)
        log.append([batch(step % 3, step // 3 * 10, 10, received_at=clock.now_ms())])
    ledger = Ledger(tmp_path / "worker.db")
    losing = LosingStore(store.location)
    worker = Worker(settings, log, losing, ledger, clock)
    assert run_until(worker, lambda: ledger.position() == log.bounds().next) == []
    assert losing.rows("SELECT count(), uniqExact(view_key, identity) FROM events").rows == [
        [60, 60]
    ]
    assert losing.rows("SELECT count(), sum(events) FROM views FINAL").rows == [[3, 60]]
    ledger.close()
    losing.close()
