"""A runner of jobs over a project of `PipeProject`, without a server around it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from playhead.jobs.job import Job
from playhead.jobs.projects import Projects
from playhead.jobs.runner import Runner
from playhead.jobs.table import DATABASE_FILE, Jobs
from playhead.jobs.work import Desk, Kind
from playhead.log.appender import Appender
from playhead.log.memory import MemoryLog
from playhead.log.offsets import Ledger
from support.pipe_project import PipeProject

WAIT_S = 60


@asynccontextmanager
async def job_desk(project: PipeProject) -> AsyncIterator[Desk]:
    """What jobs of a project work with; nothing reads the log."""
    log = MemoryLog(project.config.log, project.clock)
    appender = Appender(log, project.config.log, project.clock)
    ledger = Ledger(project.folder / "worker.db", writable=False)
    yield Desk(
        config=project.config, clock=project.clock, store=project.store, log=log,
        append=appender.append, ledger=ledger,
    )  # fmt: skip
    await appender.close()
    ledger.close()


@asynccontextmanager
async def running(desk: Desk, kinds: Iterable[Kind]) -> AsyncIterator[Runner]:
    """A runner at work; what it has not ended when this is left stays on disk."""
    limits = desk.config.jobs
    path = desk.config.data_dir / DATABASE_FILE
    jobs = Jobs(path, desk.clock, kept_max=limits.max_kept, waiting_max=limits.max_waiting)
    runner = Runner(jobs, desk, kinds)
    runner.start()
    try:
        yield runner
    finally:
        await runner.stop()
        jobs.close()


async def done(runner: Runner, job: Job) -> Job:
    """Submit a job and return it when it has ended."""
    return await runner.ended((await runner.submit(job)).id)


def projects_of(desk: Desk) -> Projects:
    return Projects(desk)
