"""A row that the store will never take is set aside; the rest of its block is stored, once."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playhead.clock import SystemClock
from playhead.log.offsets import Intent, Ledger
from playhead.model import event_row
from playhead.model.event_row import ROW_COLUMNS
from playhead.process.folder import Folded
from playhead.process.loader import Loader
from playhead.process.rows import Line, Table
from support.running_store import RunningStore, now_ms, running_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    folder: Path = tmp_path_factory.mktemp("loader")
    with running_store(folder) as running:
        yield running


def event(number: int, timestamp: object) -> tuple[Any, ...]:
    at = now_ms()
    return tuple((dict.fromkeys(event_row.COLUMNS) | {
        "view_key": "k", "at": at, "received_at": at, "kind": "PLAY", "log_offset": 0,
        "log_index": number, "identity": number, "timestamp": timestamp, "property": "p",
        "door": "telemetry", "asn": 0, "bot": False, "internal": False,
    }).values())  # fmt: skip


def test_only_the_row_at_fault_is_set_aside(store: RunningStore, tmp_path: Path) -> None:
    events = [event(number, "no time" if number == 6 else 1) for number in range(10)]
    for attempt in range(2):  # the second time as after a crash: nothing is added
        folded = Folded(0, 1, now_ms(), events, [], [], {"stored": 10}, [])
        with closing(Ledger(tmp_path / f"{attempt}.db")) as ledger:
            Loader(store.client, ledger, SystemClock()).load(folded, lambda *_: [])
            assert ledger.counts() == {"stored": 9, "quarantined": 1}
    assert store.client.rows("SELECT count() FROM events").rows == [[9]]
    found = store.client.rows("SELECT code, log_index FROM quarantine").rows
    assert found == [["store_refused", 6]]


def test_a_block_larger_than_the_store_takes_goes_in_by_halves(tmp_path: Path) -> None:
    folded = Folded(
        0, 1, now_ms(), [event(number, 1) for number in range(100)], [], [], {"stored": 100}, []
    )
    with (
        running_store(tmp_path / "store", store__max_insert_bytes=10_000) as small,
        closing(Ledger(tmp_path / "worker.db")) as ledger,
    ):
        Loader(small.client, ledger, SystemClock()).load(folded, lambda *_: [])
        assert small.client.rows("SELECT count() FROM events").rows == [[100]]
        assert ledger.counts() == {"stored": 100}


def test_a_row_of_a_table_that_the_store_refuses_costs_only_itself(tmp_path: Path) -> None:
    at = now_ms()
    table = Table("cdn_requests", (*ROW_COLUMNS, "at", "cdn", "status"))
    statuses: list[object] = [200] * 300
    statuses[123] = "no status"
    rows = [(at, 0, index, "cdn", "p", at, "a", one) for index, one in enumerate(statuses)]
    lines = [Line(at, 0, row[2], msgspec.json.encode(row)) for row in rows]
    with running_store(tmp_path / "store") as running:
        for attempt in range(2):  # the second time as after a kill, before it could be recorded
            with closing(Ledger(tmp_path / f"{attempt}.db")) as ledger:
                if attempt:
                    ledger.intend(Intent(0, 1, at))
                folded = Folded(0, 1, at, [], [], [], {"stored": 300}, [], {table: lines})
                Loader(running.client, ledger, SystemClock()).load(folded, lambda *_: [])
                assert ledger.counts() == {"stored": 299, "quarantined": 1}
        ask = running.client.rows
        assert ask("SELECT count() FROM cdn_requests").rows == [[299]]
        assert ask("SELECT sum(requests) FROM cdn_minutes").rows == [[299]]
        found = ask("SELECT code, log_index FROM quarantine").rows
        assert found == [["store_refused", 123]]
