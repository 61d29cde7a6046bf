"""The kind "backup", and the schedule that makes such jobs."""

import asyncio
from typing import Any, Final

import msgspec

from playhead.backup.keeping import prune
from playhead.backup.making import make_backup
from playhead.backup.manifest import Summary
from playhead.backup.place import place_of
from playhead.clock import Clock
from playhead.config import Config
from playhead.connect.buckets.bucket import Archive
from playhead.errors import (
    Conflict,
    DiskLow,
    InvalidRequest,
    LogUnavailable,
    PlayheadError,
    RowsUnsettled,
)
from playhead.jobs.cron import cron
from playhead.jobs.job import Job
from playhead.jobs.runner import Runner
from playhead.jobs.schedules import id_of, last_due
from playhead.jobs.work import Work
from playhead.observe import logger

KIND: Final = "backup"
LOOK_EVERY_S: Final = 5.0
_LOG = logger("backup")


class Backups:
    """The kind "backup": makes one where `[backup] to` says, then removes the oldest."""

    name: Final = KIND

    async def run(self, work: Work) -> None:
        """Make a backup; called again after a stop it begins anew and sends only what is missing."""
        config, clock = work.desk.config, work.desk.clock
        archive = place_of(config.backup.to, config.backup, data_dir=config.data_dir)
        if "summary" not in work.kept:
            summary = await _made(config, archive, clock, work)
            await work.keep(summary=msgspec.to_builtins(summary))
            _LOG.info("backup_made", id=summary.id, sent_bytes=summary.sent_bytes)
        if config.backup.keep:
            pruned = await prune(archive, clock, keep=config.backup.keep)
            await work.keep(pruned=msgspec.to_builtins(pruned))


async def _made(config: Config, archive: Archive, clock: Clock, work: Work) -> Summary:
    """Make a backup; what keeps it from being made is said, and not tried again for ever."""

    async def told(done: int, total: int) -> None:
        work.check()
        await work.progress(done, total)

    try:
        return await make_backup(config, archive, clock, told)
    except (DiskLow, LogUnavailable, RowsUnsettled) as error:
        raise Conflict(error.message, hint=error.hint) from error


def backup_job() -> Job:
    """Return the job of a backup."""
    return Job(kind=KIND, name=KIND)


def summary_of(job: Job) -> dict[str, Any] | None:
    """Return what a job says of the backup it has made; None where it has made none."""
    kept = job.kept.get("summary")
    if kept is None:
        return None
    found: dict[str, Any] = msgspec.to_builtins(msgspec.convert(kept, Summary))
    return found


class BackupSchedule:
    """Makes a job of the backup that is due by `[backup] every`.

    Nothing is kept of it: what was looked after is in the table of jobs, so what fell due while the
    server was away is made up for once.
    """

    def __init__(self, config: Config, runner: Runner, clock: Clock) -> None:
        self._every = config.backup.every if config.backup.to else ""
        self._runner = runner
        self._clock = clock
        self._began_ms = clock.now_ms()

    async def run(self) -> None:
        """Look now and then until cancelled; returns at once where nothing is ever due."""
        try:
            if not self._every or cron(self._every).next_ms(self._began_ms) is None:
                return
        except InvalidRequest as error:
            _LOG.error("backup_schedule_not_read", every=self._every, reason=error.message)
            return
        while True:
            try:
                await self.look()
            except (PlayheadError, OSError) as error:
                _LOG.warning("backup_not_begun", reason=str(error))
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> Job | None:
        """Make a job where one is due and none is under way; return it."""
        jobs = await self._runner.newest(kind=KIND)
        newest = jobs[0] if jobs else None
        if newest is not None and not newest.ended:
            return None
        seen_ms = newest.created_at if newest else self._began_ms
        due_ms = last_due(cron(self._every), seen_ms, self._clock.now_ms())
        if due_ms is None:
            return None
        job = msgspec.structs.replace(backup_job(), id=id_of("", KIND, due_ms))
        return await self._runner.submit(job)
