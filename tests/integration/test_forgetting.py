"""A viewer is forgotten at one place of the log, and only they: also when the worker dies on the way."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead import config
from playhead.access.viewer_key import make_viewer_key
from playhead.clock import ManualClock, SystemClock
from playhead.config import Config, Data, Process
from playhead.log.base import Entry
from playhead.log.memory import MemoryLog
from playhead.log.offsets import Ledger
from playhead.model.command import DOOR, Command
from playhead.model.forgotten import Forget, digest_of, name_of
from playhead.process.worker import Worker
from playhead.store.client import StoreClient
from support.running_store import RunningStore, running_store
from support.working import run_until

START_MS = SystemClock().now_ms() - 600_000
GONE, KEPT = "gone", "kept"
STEPS = (2, 8, 9, 10, 11)
"""Of the statements of a deletion: one that gathers, the hashes, views, events, the tidying up."""


class Crashed(BaseException):
    """The process is gone: nothing after this line runs."""


class CrashingStore(StoreClient):
    """The real client, dying before or after its n-th statement about the forgotten."""

    left, after = 0, False

    def command(self, sql: str, *, settings: Mapping[str, object] | None = None) -> None:
        own = re.search(r"forgetting_|playhead\.forgotten|^DELETE", sql) is not None
        self.left -= own
        if own and self.left == 0 and not self.after:
            raise Crashed
        super().command(sql, settings=settings)
        if own and self.left == 0:
            raise Crashed


class Case:
    """A log with three viewers' events in one property, and a deletion among them."""

    def __init__(self, store: RunningStore, folder: Path, name: str) -> None:
        self.store, self.folder, self.name = store, folder, name
        self.clock = ManualClock(START_MS)
        self.log = MemoryLog(config.Log(), self.clock)
        folder.mkdir(exist_ok=True)
        self.config = Config(
            data=Data(dir=str(folder)), process=Process(flush_ms=0, batch_events=10)
        )

    def send(self, view: str | None, session: str, *viewers: str | None, first: int = 0) -> bytes:
        self.clock.advance(1_000)
        events = [
            {"eventType": "PLAYING" if seq else "PLAY", "timestamp": self.clock.now_ms() + seq,
             "sessionId": session, "playbackPositionSec": seq / 10}
            | ({"viewId": view, "seq": seq} if view else {})
            | ({"viewerId": viewer} if viewer else {})
            for seq, viewer in enumerate(viewers, first)
        ]  # fmt: skip
        body = msgspec.json.encode(events)
        self.again(body, len(events))
        return body

    def again(self, body: bytes, count: int) -> None:
        meta = msgspec.json.encode({"context": {"property": self.name}})
        self.log.append([Entry("telemetry", "s", count, meta, body)])

    def forget(self) -> None:
        self.clock.advance(40_000)  # views that went silent are written anew in the same range
        key = make_viewer_key(self.folder)
        forget = Forget(digest=digest_of(key, GONE), key=name_of(key), property=self.name)
        body = msgspec.json.encode(Command(op="forget", job="j", forget=forget))
        self.log.append([Entry(DOOR, "", 0, b"{}", body)])

    def work(self, client: StoreClient) -> list[BaseException]:
        ledger = Ledger(self.folder / "worker.db")
        worker = Worker(self.config, self.log, client, ledger, self.clock)
        end = self.log.bounds().next
        failed = run_until(worker, lambda: ledger.position() == end)
        self.counts = ledger.counts() if not failed else {}
        ledger.close()
        client.close()
        return failed

    def rows(self, sql: str) -> list[list[Any]]:
        client = StoreClient(self.store.location)
        found = client.rows(sql, {"p": self.name}).rows
        client.close()
        return found

    def views(self) -> dict[str, list[Any]]:
        found = self.rows(
            "SELECT view_key, viewer_id, events FROM playhead.views FINAL"
            " WHERE property = {p:String} ORDER BY view_key, started_at"
        )
        views: dict[str, list[Any]] = {}
        for key, *row in found:
            views.setdefault(key.removeprefix(f"{self.name}/"), []).append(tuple(row))
        return views


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunningStore]:
    with running_store(tmp_path / "store") as running:
        yield running


def filled(case: Case) -> None:
    early = case.send("v-gone", "s-gone", GONE, GONE, None)
    case.send("v-nameless", "s-gone", None, None)
    case.send(None, "s-shared", GONE, KEPT, KEPT)
    case.send("v-kept", "s-kept", KEPT, KEPT)
    case.send("v-nobody", "s-nobody", None)
    case.forget()
    case.again(early, 3)
    case.send("v-gone", "s-gone", GONE, first=3)
    case.send("v-kept", "s-kept", KEPT, first=2)
    case.send("v-back", "s-back", GONE, GONE)


EXPECTED = {
    "s:s-shared": [(KEPT, 2)],
    "v-back": [(GONE, 2)],
    "v-kept": [(KEPT, 3)],
    "v-nobody": [("", 1)],
}


def checked(case: Case) -> None:
    assert case.views() == EXPECTED
    assert case.rows(
        "SELECT count(), uniqExact(view_key, identity), countIf(viewer_id = 'gone')"
        " FROM playhead.events WHERE property = {p:String}"
    ) == [[8, 8, 2]]
    assert case.counts["dropped:forgotten"] == 4
    assert sum(case.counts.values()) == case.log.bounds().events_total
    assert case.rows("SELECT name FROM system.tables WHERE name LIKE 'forgetting%'") == []


def test_only_what_belongs_to_them_goes_and_what_comes_again_is_dropped(
    store: RunningStore, tmp_path: Path
) -> None:
    case = Case(store, tmp_path, "whole")
    filled(case)
    assert case.work(StoreClient(store.location)) == []
    checked(case)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_any_step_changes_nothing(
    store: RunningStore, tmp_path: Path, step: int, *, after: bool
) -> None:
    case = Case(store, tmp_path, f"crash{step}{after}")
    filled(case)
    crashing = CrashingStore(store.location)
    crashing.left, crashing.after = step, after
    assert [type(error) for error in case.work(crashing)] == [Crashed]
    assert case.work(StoreClient(store.location)) == []
    checked(case)


def test_under_another_key_nobody_is_forgotten_and_that_is_said(
    store: RunningStore, tmp_path: Path
) -> None:
    case = Case(store, tmp_path, "key")
    case.send("v-gone", "s-gone", GONE)
    case.forget()
    (tmp_path / "viewers.key").write_text("0" * 64)
    assert case.work(StoreClient(store.location)) == []
    ledger = Ledger(tmp_path / "worker.db", writable=False)
    assert ledger.job_counts("j") == {"failed": 1}
    assert "viewers.key" in ledger.notes()["command_failed"]
    ledger.close()
    assert case.views() == {"v-gone": [(GONE, 1)]}
