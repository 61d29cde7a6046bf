"""The runner: starts jobs in the order they came, goes on with those a kill cut off."""

import asyncio
import traceback
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

import msgspec

from playhead.access import Grant
from playhead.errors import PlayheadError, Unavailable
from playhead.jobs.job import Job, job_id
from playhead.jobs.table import Jobs
from playhead.jobs.work import LOOK_EVERY_S, Desk, JobCancelled, Kind, Work
from playhead.observe import counter, logger

ANY: Final = "*"
"""`Job.writes` of a job that may write every data source of its workspace."""
AGAIN_S: Final = 2.0
"""A job that something stopped which passes (a store that starts anew) goes on after this long."""
_LOG = logger("jobs")
_ENDED = counter("jobs_ended", "Jobs that ended, by kind and how", ("kind", "state"))


class Runner:
    """Runs jobs of the kinds it knows, `jobs.max_running` at once."""

    def __init__(self, jobs: Jobs, desk: Desk, kinds: Iterable[Kind]) -> None:
        self.jobs = jobs
        self.desk = desk
        self._kinds = {kind.name: kind for kind in kinds}
        self._works: dict[str, Work] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._runs: asyncio.Task[None] | None = None
        self._named_ms = 0
        """When the newest id says its job was made."""

    def start(self) -> None:
        """Begin to run jobs, first those that a kill cut off."""
        self._runs = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Let go of the jobs that run: they stay `working` on disk and go on at the next start."""
        tasks = [*self._tasks.values(), *([self._runs] if self._runs else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def submit(self, job: Job, grant: Grant | None = None) -> Job:
        """Add a job; it is on disk when this returns.

        Args:
            job: `kind`, `name`, `writes`, `detail` and `workspace` as they are wanted; `id` of
                `new_id` where something was kept under it before, "" = a new one.
            grant: Whose token asks.

        Raises:
            QueueFull: As many as allowed wait already.
            DiskLow, LogUnavailable: It was not taken.
        """
        if job.kind not in self._kinds:
            raise ValueError(f"there is no kind of job {job.kind!r}")
        job = msgspec.structs.replace(
            job,
            id=job.id or self.new_id(),
            token=grant.id if grant else "",
            token_name=grant.name if grant else "",
        )
        made = await asyncio.to_thread(self.jobs.add, job)
        self._wake.set()
        return made

    def new_id(self) -> str:
        """Return the id of a job to come: behind all before it, also within one millisecond."""
        self._named_ms = max(self.desk.clock.now_ms(), self._named_ms + 1)
        return job_id(self._named_ms)

    async def find(self, id: str) -> Job:  # noqa: A002 (a job's own word)
        """Return a job as it is now; raises NotFound."""
        return self._now(await asyncio.to_thread(self.jobs.known, id))

    async def newest(self, *, workspace: str = "", state: str = "", kind: str = "") -> list[Job]:
        """Return the jobs of a workspace, newest first."""
        found = await asyncio.to_thread(
            lambda: self.jobs.newest(workspace=workspace, state=state, kind=kind)
        )
        return [self._now(job) for job in found]

    async def cancel(self, id: str) -> Job:  # noqa: A002 (a job's own word)
        """Cancel a job; one that works ends at its next step. Raises as `Jobs.cancel`."""
        job = await asyncio.to_thread(self.jobs.cancel, id)
        if id in self._works:
            self._works[id].cancel()
        self._wake.set()
        return job

    async def retry(self, id: str) -> Job:  # noqa: A002 (a job's own word)
        """Let a job that failed or was cancelled go on from where it was; raises as `Jobs.retry`."""
        job = await asyncio.to_thread(self.jobs.retry, id)
        self._wake.set()
        return job

    async def ended(self, id: str) -> Job:  # noqa: A002 (a job's own word)
        """Wait until a job has ended and return it."""
        while not (job := await self.find(id)).ended:  # noqa: ASYNC110 (the table is the truth)
            await asyncio.sleep(LOOK_EVERY_S)
        return job

    def _now(self, job: Job) -> Job:
        """Return a job with the progress that is not on disk yet."""
        work = self._works.get(job.id)
        if work is None or job.ended:
            return job
        return msgspec.structs.replace(job, done=work.job.done, total=work.job.total)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._start_some()
            except PlayheadError as error:
                _LOG.error("jobs_not_read", reason=error.message)
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S):
                    await self._wake.wait()

    async def _start_some(self) -> None:
        """Start what may run now: in order, and nobody overtakes one that waits for the same place."""
        unfinished = await asyncio.to_thread(self.jobs.unfinished)
        places = [one for one in unfinished if one.id in self._tasks]
        for job in sorted(unfinished, key=lambda one: (one.state == "waiting", one.id)):
            if job.id in self._tasks:
                continue
            free = not any(_collide(job, other) for other in places)
            if free and len(self._tasks) < self.desk.config.jobs.max_running:
                task = asyncio.create_task(self._carry(job))
                self._tasks[job.id] = task
            places.append(job)

    async def _carry(self, job: Job) -> None:
        """Run one job to its end; what only passes lets it go on later."""
        try:
            job = await asyncio.to_thread(self.jobs.begin, job.id)
            if job.ended:  # somebody cancelled it first
                return
            work = self._works[job.id] = Work(job, self.jobs, self.desk)
            # A cancel before this line found no work to tell: it is on disk alone.
            if (await asyncio.to_thread(self.jobs.known, job.id)).cancelling:
                work.cancel()
            kind = self._kinds.get(job.kind)
            if kind is None:
                await self._end(job, "error", f"This release knows no job of kind '{job.kind}'.")
                return
            await kind.run(work)
            await self._end(work.job, "done")
        except JobCancelled:
            await self._end(job, "cancelled")
        except Unavailable as error:
            _LOG.warning("job_waits", job=job.id, kind=job.kind, reason=error.message)
            await asyncio.sleep(AGAIN_S)
        except PlayheadError as error:
            await self._end(job, "error", error.message)
        except Exception as error:  # noqa: BLE001 (one job's fault must not end the others)
            trace = "".join(traceback.format_exception(error))
            _LOG.error("job_failed", job=job.id, kind=job.kind, trace=trace)
            await self._end(job, "error", "The job failed in a way nobody foresaw; see the log.")
        finally:
            self._works.pop(job.id, None)
            self._tasks.pop(job.id, None)
            self._wake.set()

    async def _end(self, job: Job, state: Any, error: str = "") -> None:
        """Mark a job as ended; where the disk refuses, it is run again, which changes nothing."""
        try:
            await asyncio.to_thread(self.jobs.end, job.id, state, error)
        except PlayheadError as fault:
            _LOG.error("job_end_not_kept", job=job.id, reason=fault.message)
            await asyncio.sleep(AGAIN_S)
            return
        _ENDED.labels(job.kind, state).inc()
        _LOG.info("job_ended", job=job.id, kind=job.kind, name=job.name, state=state, error=error)


def _collide(one: Job, other: Job) -> bool:
    """Return whether two jobs may not run at once."""
    if not one.writes or not other.writes or one.workspace != other.workspace:
        return False
    return one.writes == other.writes or ANY in {one.writes, other.writes}
