from collections.abc import Iterator
from pathlib import Path
from typing import cast

import msgspec
import pytest

from playhead.clock import ManualClock
from playhead.config import Backup, Config
from playhead.jobs.backups import BackupSchedule
from playhead.jobs.job import Job
from playhead.jobs.runner import Runner
from playhead.jobs.table import Jobs

DAY_MS = 86_400_000
MIDNIGHT_MS = 19_000 * DAY_MS


class Desk:
    """As much of a runner as the schedule asks; nothing runs the jobs."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs

    async def newest(self, *, kind: str) -> list[Job]:
        return self.jobs.newest(kind=kind)

    async def submit(self, job: Job) -> Job:
        return self.jobs.add(job)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MIDNIGHT_MS)


@pytest.fixture
def jobs(tmp_path: Path, clock: ManualClock) -> Iterator[Jobs]:
    table = Jobs(tmp_path / "jobs.db", clock, kept_max=100, waiting_max=10)
    yield table
    table.close()


def schedule(jobs: Jobs, clock: ManualClock, every: str = "30 2 * * *") -> BackupSchedule:
    config = msgspec.structs.replace(Config(), backup=Backup(to="/kept", every=every))
    return BackupSchedule(config, cast("Runner", Desk(jobs)), clock)


async def test_one_backup_a_night(jobs: Jobs, clock: ManualClock) -> None:
    one = schedule(jobs, clock)
    assert await one.look() is None
    clock.advance(3 * 3_600_000)
    made = await one.look()
    assert made is not None
    assert await one.look() is None  # it waits still
    jobs.end(made.id, "done")
    assert await one.look() is None
    clock.advance(DAY_MS)
    assert await one.look() is not None
    assert len(jobs.newest()) == 2


async def test_what_fell_due_meanwhile_is_made_up_for_once(jobs: Jobs, clock: ManualClock) -> None:
    clock.advance(3 * 3_600_000)
    jobs.end((await schedule(jobs, ManualClock(MIDNIGHT_MS)).look() or await made(jobs)).id, "done")
    clock.advance(5 * DAY_MS)
    later = schedule(jobs, clock)  # a server that starts anew
    again = await later.look()
    assert again is not None
    jobs.end(again.id, "done")
    assert await later.look() is None


async def made(jobs: Jobs) -> Job:
    return jobs.add(Job(id="00000000-0000-7000-8000-000000000000", kind="backup"))


@pytest.mark.parametrize("every", ["", "no cron", "61 * * * *"])
async def test_without_a_schedule_nothing_is_looked_after(
    jobs: Jobs, clock: ManualClock, every: str
) -> None:
    await schedule(jobs, clock, every).run()
    assert jobs.newest() == []
