"""Jobs as they become rows of the service tables."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from playhead.clock import ManualClock
from playhead.config.file import load
from playhead.jobs.job import Job
from playhead.jobs.table import Jobs
from playhead.log.offsets import Ledger
from playhead.record.recorder import Recorder
from playhead.serve.bookkeeping import Bookkeeping
from playhead.store.async_client import AsyncStoreClient

NOW_MS = 1_700_000_000_000


class Told:
    """Remembers what a recorder is told."""

    def __init__(self) -> None:
        self.jobs: list[Any] = []
        self.operations: list[Any] = []

    def job(self, row: Any) -> None:
        self.jobs.append(row)

    def operation(self, done: Any) -> None:
        self.operations.append(done)


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[tuple[Jobs, ManualClock, Told, Bookkeeping]]:
    clock, told = ManualClock(NOW_MS), Told()
    jobs = Jobs(tmp_path / "jobs.db", clock, kept_max=100, waiting_max=100)
    ledger = Ledger(tmp_path / "worker.db")
    book = Bookkeeping(
        load().config, clock, cast(AsyncStoreClient, None), ledger, cast(Recorder, told)
    )
    yield jobs, clock, told, book
    jobs.close()
    ledger.close()


async def test_each_change_is_recorded_once(
    parts: tuple[Jobs, ManualClock, Told, Bookkeeping],
) -> None:
    jobs, _clock, told, book = parts
    job = jobs.add(Job(id="j1", kind="import", name="plays", writes="plays"))
    await book.follow(jobs)
    await book.follow(jobs)
    assert [(row.id, row.status, row.datasource) for row in told.jobs] == [
        (job.id, "waiting", "plays")
    ]
    assert told.operations == []


async def test_a_job_that_ended_is_an_operation(
    parts: tuple[Jobs, ManualClock, Told, Bookkeeping],
) -> None:
    jobs, clock, told, book = parts
    jobs.add(Job(id="j1", kind="import", name="plays", writes="plays", detail={"mode": "replace"}))
    jobs.begin("j1")
    clock.advance(1_500)
    jobs.end("j1", "error", "It cannot be read.")
    await book.follow(jobs)
    (done,) = told.operations
    assert (done.event_type, done.datasource, done.result) == ("replace", "plays", "error")
    assert (done.error, done.elapsed_s) == ("It cannot be read.", 1.5)
