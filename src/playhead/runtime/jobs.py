"""The jobs of the web process: which kinds there are, and what is tidied up behind them."""

import asyncio
from collections.abc import Sequence
from typing import Final

from playhead.build.target import DATABASE
from playhead.clock import Clock
from playhead.config import Config
from playhead.errors import PlayheadError
from playhead.jobs import copies, sinks
from playhead.jobs.backups import Backups, BackupSchedule
from playhead.jobs.copies import Copies
from playhead.jobs.deleting import Removal
from playhead.jobs.deployments import DeploymentJob
from playhead.jobs.imports import Imports
from playhead.jobs.leftovers import Leftovers
from playhead.jobs.populate import Populate
from playhead.jobs.projects import Projects
from playhead.jobs.runner import Runner
from playhead.jobs.schedules import Schedules
from playhead.jobs.sinks import Sinks
from playhead.jobs.spool import Spool
from playhead.jobs.table import DATABASE_FILE, Jobs
from playhead.jobs.work import Kind
from playhead.observe import logger
from playhead.project.homes import FOLDER, database_of, is_id
from playhead.record.recorder import Recorder

TIDY_EVERY_S: Final = 600.0
FAILED_KEPT: Final = 20
"""What so many failed jobs have made is kept for `retention.import_days`, to be tried again."""
YOUNG_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
_LOG = logger("jobs")


def jobs_of(config: Config, clock: Clock) -> Jobs:
    """Return the table of jobs; raises as `Jobs`."""
    return Jobs(
        config.data_dir / DATABASE_FILE,
        clock,
        kept_max=config.jobs.max_kept,
        waiting_max=config.jobs.max_waiting,
    )


def kinds_of(projects: Projects, recorder: Recorder | None = None) -> Sequence[Kind]:
    """Return every kind of job."""
    return (
        Imports(),
        Removal("truncate"),
        Removal("delete"),
        Copies(projects),
        Populate(projects),
        Sinks(projects),
        DeploymentJob(recorder),
        Backups(),
    )


def schedules_of(runner: Runner, projects: Projects) -> Schedules:
    """Return what makes jobs of what falls due."""
    made = {copies.KIND: copies.job_of, sinks.KIND: sinks.job_of}
    return Schedules(runner, projects, lambda ws, one, due_ms: made[one.node.kind](ws, one, due_ms))


def backups_of(runner: Runner) -> BackupSchedule:
    """Return what makes a job of the backup that falls due."""
    return BackupSchedule(runner.desk.config, runner, runner.desk.clock)


async def tidy(runner: Runner) -> None:
    """Remove what jobs have left that nobody needs any more: files of imports, tables in the store."""
    spool = Spool(runner.desk.config)
    while True:
        try:
            await asyncio.to_thread(sweep, runner, spool)
            databases = await asyncio.to_thread(_databases, runner.desk.config)
            leftovers = Leftovers(runner.desk.store, databases)
            await leftovers.sweep(lambda: _wanted(runner, "error"))
        except (PlayheadError, OSError) as error:
            _LOG.warning("jobs_not_tidied", reason=str(error))
        await asyncio.sleep(TIDY_EVERY_S)


def sweep(runner: Runner, spool: Spool) -> None:
    """Remove files of imports that nobody needs, and forget jobs that ended long ago."""
    now_ms = runner.desk.clock.now_ms()
    spool.sweep(_wanted(runner, "error", "cancelled"), older_than_ms=now_ms - YOUNG_MS)
    days = runner.desk.config.retention.job_days
    if days:
        runner.jobs.forget(now_ms - days * DAY_MS)


def _wanted(runner: Runner, *states: str) -> list[str]:
    """Return the ids of the jobs that go on, and of the newest of some states, to be tried again."""
    days = runner.desk.config.retention.import_days
    since_ms = runner.desk.clock.now_ms() - days * DAY_MS if days else 0
    # The unfinished before and behind: one that ends or is tried again meanwhile is in some list.
    found = [job.id for job in runner.jobs.unfinished()]
    for state in states:
        newest = runner.jobs.newest(state=state, limit=FAILED_KEPT)
        found += [one.id for one in newest if one.updated_at >= since_ms]
    return [*found, *(job.id for job in runner.jobs.unfinished())]


def _databases(config: Config) -> list[str]:
    """Return the databases of all projects."""
    root = config.data_dir / FOLDER
    ids = [one.name for one in root.iterdir() if is_id(one.name)] if root.is_dir() else []
    return [database_of(one, DATABASE) for one in ("", *ids)]
