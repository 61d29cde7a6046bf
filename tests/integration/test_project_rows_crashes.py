"""The worker dies between any two steps while it stores rows of a project: each is there once."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from playhead import config
from playhead.clock import ManualClock, SystemClock
from playhead.config import Config, Data, Process
from playhead.log.base import Entry
from playhead.log.lock import WriterLock
from playhead.log.memory import MemoryLog
from playhead.log.offsets import Ledger
from playhead.model.event import Into, Meta
from playhead.process.worker import Worker
from playhead.project.manifest import LOCK_FILE
from playhead.project.resources import Column, Datasource, Engine
from playhead.project.routes import ROUTES_FILE, Routes, routes_json
from playhead.project.rows import Refused, RowReader
from playhead.project.table import create_table, quarantine_table
from playhead.store.client import StoreClient
from support.running_store import RunningStore, running_store
from support.working import run_until

SOURCE = Datasource(
    name="plays",
    path="plays",
    columns=(Column(name="at", type="DateTime"), Column(name="n", type="UInt32")),
    engine=Engine(kind="MergeTree", sorting_key="n"),
)
READER = RowReader(SOURCE)
START_MS = SystemClock().now_ms() - 600_000
RECORDS = 6
POINTS = [(insert, after) for insert in range(1, 6) for after in (False, True)]


class Crashed(BaseException):
    """The process is gone: nothing after this line runs."""


class CrashingStore(StoreClient):
    """The real client, dying before or after its n-th insert of rows."""

    left, after = 0, False

    def insert_rows(
        self, sql: str, body: bytes, *, token: str, settings: Mapping[str, object] | None = None
    ) -> None:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Crashed
        try:
            super().insert_rows(sql, body, token=token, settings=settings)
        finally:
            if self.left == 0:
                raise Crashed


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    folder: Path = tmp_path_factory.mktemp("crashes")
    with running_store(folder) as running:
        yield running


def entries(record: int) -> list[Entry]:
    """Three rows, one of which the engine refuses, and one that the door refused."""
    into = Into(datasource="plays", shape=READER.shape_id)
    rows = [["2030-01-01 00:00:00", record * 10 + n] for n in range(3)]
    rows[1][0] = "no time"  # as if the reader had let it pass
    refused = READER.line(b'{"at":"2030-01-01","n":-%d}' % (record + 1))
    assert isinstance(refused, Refused)
    away = READER.refused_body([refused], at_s=1)
    aside = msgspec.structs.replace(into, quarantine=True)
    return [
        Entry("events", "/plays", 3, msgspec.json.encode(Meta(into=into)), READER.body(rows)),
        Entry("events", "/plays", 1, msgspec.json.encode(Meta(into=aside)), away),
    ]


def prepare(store: RunningStore, folder: Path, database: str) -> None:
    command = store.client.command
    command(f"CREATE DATABASE {database}")
    command(create_table(SOURCE, database=database))
    command(quarantine_table(SOURCE, database=database))
    window = "SETTINGS non_replicated_deduplication_window = 1000"
    command(f"CREATE TABLE {database}.sums (n UInt64) ENGINE = MergeTree ORDER BY n {window}")
    command(
        f"CREATE MATERIALIZED VIEW {database}.mv TO {database}.sums AS"
        f" SELECT sum(n) AS n FROM {database}.plays GROUP BY at"
    )
    routes = Routes().with_shape("plays", READER.shape_id, READER.shape(database, database))
    (folder / "project").mkdir()
    (folder / ROUTES_FILE).write_text(routes_json(routes))


@pytest.mark.parametrize(("insert", "after"), POINTS)
def test_a_crash_at_any_insert_changes_nothing(
    store: RunningStore, tmp_path: Path, insert: int, *, after: bool
) -> None:
    database = f"crash_{insert}_{int(after)}"
    prepare(store, tmp_path, database)
    clock = ManualClock(START_MS)
    log = MemoryLog(config.Log(), clock)
    for record in range(RECORDS):
        clock.advance(1_000)
        log.append(entries(record))
    settings = Config(data=Data(dir=str(tmp_path)), process=Process(flush_ms=0, batch_events=8))
    with (
        closing(CrashingStore(store.location)) as crashing,
        closing(Ledger(tmp_path / "worker.db")) as ledger,
    ):
        crashing.left, crashing.after = insert, after
        failed = run_until(Worker(settings, log, crashing, ledger, clock), lambda: False)
        assert [type(error) for error in failed] == [Crashed]
    with closing(Ledger(tmp_path / "worker.db")) as ledger:
        assert [intent.detail for intent in ledger.intents()] == ["rows"]
        worker = Worker(settings, log, store.client, ledger, clock)
        run_until(worker, lambda: ledger.position() == log.bounds().next)
        assert ledger.counts() == {"stored": 2 * RECORDS, "quarantined": 2 * RECORDS}
    ask = store.client.rows
    wanted = [record * 10 + n for record in range(RECORDS) for n in (0, 2)]
    assert ask(f"SELECT groupArray(n) FROM (SELECT n FROM {database}.plays ORDER BY n)").rows == [
        [wanted]
    ]
    assert ask(f"SELECT sum(n) FROM {database}.sums").rows == [[sum(wanted)]]
    found = ask(f"SELECT count(), uniqExact(n) FROM {database}.plays_quarantine").rows
    assert found == [[2 * RECORDS, 2 * RECORDS]]


def test_events_go_on_and_rows_wait_while_a_build_holds_the_lock(
    store: RunningStore, tmp_path: Path
) -> None:
    prepare(store, tmp_path, "held")
    clock = ManualClock(START_MS)
    log = MemoryLog(config.Log(), clock)
    event = {"eventType": "PLAY", "timestamp": START_MS, "viewId": "v-held", "seq": 0}
    log.append([Entry("telemetry", "s", 1, b"", msgspec.json.encode([event])), *entries(1)])
    settings = Config(data=Data(dir=str(tmp_path)), process=Process(flush_ms=0))
    lock = WriterLock(tmp_path / LOCK_FILE)
    seen: list[int] = []
    with closing(Ledger(tmp_path / "worker.db")) as ledger:

        def done() -> bool:
            clock.advance(100)
            if not seen and ledger.notes().get("rows_wait"):
                seen.append(ledger.position())
                lock.release()
            return ledger.position() == log.bounds().next

        run_until(Worker(settings, log, store.client, ledger, clock), done)
        assert seen == [1]
        assert ledger.counts() == {"stored": 3, "quarantined": 2}
        assert ledger.notes()["rows_wait"] == ""
    assert store.client.rows("SELECT count() FROM held.plays").rows == [[2]]
