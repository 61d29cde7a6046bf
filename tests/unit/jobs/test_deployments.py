from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from playhead.build.deployment.record import Deployment, Records
from playhead.clock import SystemClock
from playhead.config import Config, Data
from playhead.jobs.deployments import MAKE, DeploymentJob, adopt
from playhead.jobs.runner import Runner
from playhead.jobs.table import Jobs
from playhead.jobs.work import Desk
from playhead.log.memory import MemoryLog
from playhead.log.offsets import Ledger
from playhead.store.async_client import AsyncStoreClient
from playhead.store.location import embedded


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Runner]:
    config = msgspec.structs.replace(Config(), data=Data(dir=str(tmp_path)))
    clock = SystemClock()
    log = MemoryLog(config.log, clock)
    ledger = Ledger(tmp_path / "worker.db")
    store = AsyncStoreClient(embedded(tmp_path))

    async def append(*_: object) -> int:
        return 0

    desk = Desk(config=config, clock=clock, store=store, log=log, append=append, ledger=ledger)
    jobs = Jobs(tmp_path / "jobs.db", clock, kept_max=10, waiting_max=10)
    yield Runner(jobs, desk, (DeploymentJob(),))
    jobs.close()
    ledger.close()
    await store.close()


async def test_one_that_a_kill_left_without_a_job_gets_one_once(
    runner: Runner, tmp_path: Path
) -> None:
    Records(tmp_path).write(Deployment(id="3", status="in_progress"))
    for _ in range(2):
        await adopt(runner, [""])
        assert [(job.name, job.detail) for job in runner.jobs.unfinished()] == [("3", {"do": MAKE})]


@pytest.mark.parametrize("status", ["data_ready", "live", "failed"])
async def test_one_that_is_made_gets_none(runner: Runner, tmp_path: Path, status: str) -> None:
    one = msgspec.convert({"id": "3", "status": status}, Deployment)
    Records(tmp_path).write(one)
    await adopt(runner, [""])
    assert runner.jobs.unfinished() == []
