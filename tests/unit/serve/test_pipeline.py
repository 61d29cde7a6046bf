import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from playhead import config
from playhead.clock import ManualClock
from playhead.log.base import Entry
from playhead.log.memory import MemoryLog
from playhead.log.offsets import Intent, Ledger
from playhead.serve.pipeline import Pipeline, folder_bytes, pipeline_of, processes_of
from playhead.serve.services import Services
from playhead.store.client import AsyncStoreClient
from playhead.store.location import Location


def test_what_waits_and_what_is_done_add_up(tmp_path: Path) -> None:
    clock = ManualClock()
    log, ledger = MemoryLog(config.Log(), clock), Ledger(tmp_path / "worker.db")
    entry = Entry(door="telemetry", key="k", events=5, meta=b"{}", body=b"[]")
    log.append([entry, entry])
    ledger.intend(Intent(0, 1, clock.now_ms()))
    ledger.advance(1, {"stored": 2, "duplicates": 1, "dropped:bot": 1, "quarantined": 1})
    ledger.note(as_of_ms=clock.now_ms())
    clock.advance(700)
    services = Services(
        config=config.Config(), clock=clock, store=AsyncStoreClient(Location(url="http://x")),
        tokens=None, log=log, ledger=ledger,  # type: ignore[arg-type]
    )  # fmt: skip
    found = pipeline_of(services)
    ledger.close()
    assert (found.in_events, found.accounted, found.pending_events) == (10, 5, 5)
    assert (found.equation_holds, found.dropped, found.freshness_ms) == (True, {"bot": 1}, 700)


def test_what_only_tells_the_time_is_no_newest_event(tmp_path: Path) -> None:
    clock = ManualClock()
    log, ledger = MemoryLog(config.Log(), clock), Ledger(tmp_path / "worker.db")
    services = Services(
        config=config.Config(), clock=clock, store=AsyncStoreClient(Location(url="http://x")),
        tokens=None, log=log, ledger=ledger,  # type: ignore[arg-type]
    )  # fmt: skip
    heard_ms = clock.now_ms()
    log.append([Entry(door="telemetry", key="k", events=5, meta=b"{}", body=b"[]")])
    assert pipeline_of(services).newest_received_at == heard_ms
    ledger.intend(Intent(0, 1, heard_ms))
    ledger.advance(1, {"stored": 5})
    ledger.note(event_at_ms=heard_ms)
    clock.advance(60_000)
    log.append([Entry(door="tick", key="", events=0, meta=b"{}", body=b"")])
    assert pipeline_of(services).newest_received_at == heard_ms
    ledger.close()


def test_fresh_is_zero_when_nothing_waits_and_unknown_when_nothing_is_known() -> None:
    assert Pipeline(now_ms=9, next_offset=3, position=3).freshness_ms == 0
    assert Pipeline(now_ms=9, next_offset=3, position=2).freshness_ms is None
    assert Pipeline(now_ms=9, reason="broken").freshness_ms is None


def test_a_missing_event_breaks_the_equation() -> None:
    counts = {"stored": 4}
    assert not Pipeline(now_ms=0, in_events=5, counts=counts).equation_holds
    assert Pipeline(now_ms=0, in_events=5, counts=counts, pending_events=1).equation_holds


def test_processes_are_read_from_what_the_supervisor_writes(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    file = tmp_path / "run" / "processes.json"
    file.write_text('{"web": {"pid": 7, "started_at_ms": 1000, "restarts": 2}}')
    assert processes_of(tmp_path, 1_500) == {"web": {"pid": 7, "age_ms": 500, "restarts": 2}}
    file.write_text("{")
    assert processes_of(tmp_path, 1_500) == {}


def test_a_folders_size_counts_its_files(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"x" * 9_000)
    assert folder_bytes(tmp_path) >= 9_000
    assert folder_bytes(tmp_path / "nothing") == 0


def test_a_folder_that_vanishes_while_it_is_read_counts_as_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kept").write_bytes(b"x" * 9_000)
    (tmp_path / "tmp_merge").mkdir()
    look = os.scandir

    def vanishing(path: str) -> Iterator[os.DirEntry[str]]:
        if str(path).endswith("tmp_merge"):
            raise FileNotFoundError(path)
        return look(path)

    monkeypatch.setattr(os, "scandir", vanishing)
    assert folder_bytes(tmp_path) >= 9_000
