"""What is tidied up behind jobs: files of failed imports, and jobs that ended long ago."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from playhead.clock import ManualClock
from playhead.config import Config, Data, Log, Retention
from playhead.jobs.job import Job, job_id
from playhead.jobs.runner import Runner
from playhead.jobs.spool import Spool
from playhead.jobs.table import Jobs
from playhead.jobs.work import Desk
from playhead.log.memory import MemoryLog
from playhead.log.offsets import Ledger
from playhead.runtime.jobs import YOUNG_MS, sweep
from playhead.store.async_client import AsyncStoreClient
from playhead.store.location import embedded

DAY_MS = 86_400_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def runner(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Runner]:
    config = msgspec.structs.replace(
        Config(),
        data=Data(dir=str(tmp_path)),
        log=Log(free_space_floor_bytes=0),
        retention=Retention(import_days=3, job_days=9),
    )
    store, ledger = AsyncStoreClient(embedded(tmp_path)), Ledger(tmp_path / "worker.db")

    async def append(*_: object) -> int:
        return 0

    desk = Desk(
        config=config, clock=clock, store=store, log=MemoryLog(config.log, clock), append=append,
        ledger=ledger,
    )  # fmt: skip
    jobs = Jobs(tmp_path / "jobs.db", clock, kept_max=10, waiting_max=10)
    yield Runner(jobs, desk, [])
    jobs.close()
    ledger.close()
    await store.close()


def failed(runner: Runner, clock: ManualClock) -> str:
    """Make a failed import whose file is still there; return its id."""
    job = runner.jobs.add(Job(id=job_id(clock.now_ms()), kind="import", name="plays"))
    runner.jobs.end(job.id, "error", "The disk was full.")
    with Spool(runner.desk.config).writer(job.id) as writer:
        writer.write(b"rows")
        writer.close()
    return job.id


async def test_the_file_of_a_failed_import_goes_after_its_days(
    runner: Runner, clock: ManualClock
) -> None:
    spool = Spool(runner.desk.config)
    id_ = failed(runner, clock)
    # Files have the machine's clock: the test's goes on from there.
    clock.current_ms = spool.folder(id_).stat().st_mtime_ns // 1_000_000 + YOUNG_MS + 1_000
    runner.jobs.end(id_, "error")
    sweep(runner, spool)
    kept = spool.has(id_)
    clock.advance(3 * DAY_MS + 1)
    sweep(runner, spool)
    assert (kept, spool.has(id_), runner.jobs.find(id_) is None) == (True, False, False)


async def test_a_job_that_ended_is_forgotten_after_its_days(
    runner: Runner, clock: ManualClock
) -> None:
    id_ = failed(runner, clock)
    clock.advance(9 * DAY_MS + 1)
    waits = runner.jobs.add(Job(id=job_id(clock.now_ms()), kind="import", name="plays"))
    sweep(runner, Spool(runner.desk.config))
    assert runner.jobs.find(id_) is None
    assert runner.jobs.known(waits.id).state == "waiting"
