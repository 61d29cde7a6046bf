"""What a kind of job is, and what it works with."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from playhead.clock import Clock
from playhead.config import Config
from playhead.jobs.job import Job
from playhead.jobs.table import Jobs
from playhead.log.base import Log
from playhead.log.offsets import Ledger
from playhead.store.async_client import AsyncStoreClient

LOOK_EVERY_S: Final = 0.05
PROGRESS_EVERY_S: Final = 0.5
"""Progress goes to disk at most so often."""


class JobCancelled(Exception):
    """Somebody cancelled the job: it ends here, with what it has done so far."""


class Home(Protocol):
    """A workspace: its folder (with `project/…` below) and the database of its tables."""

    @property
    def id(self) -> str:
        """Return its id; "" = the main one."""
        ...

    @property
    def folder(self) -> Path:
        """Return the folder that holds its `project`."""
        ...


class Homes(Protocol):
    """Whoever knows the workspaces."""

    def of(self, id: str) -> Home:  # noqa: A002 (the contract's own word)
        """Return a workspace; raises NotFound."""
        ...


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What all jobs work with. `ledger` is opened for reading only."""

    config: Config
    clock: Clock
    store: AsyncStoreClient
    log: Log
    append: Callable[..., Awaitable[int]]
    """The appender: entries of one call are one commit; returns the first offset."""
    ledger: Ledger
    homes: Homes | None = None
    """None: there is the main workspace only."""

    def folder(self, workspace: str) -> Path:
        """Return the folder of a workspace.

        Raises:
            NotFound: There is none.
        """
        if self.homes is None or not workspace:
            return self.config.data_dir
        return self.homes.of(workspace).folder


class Work:
    """One run of a job: what it was asked, what it kept, and the desk."""

    def __init__(self, job: Job, jobs: Jobs, desk: Desk) -> None:
        self.job = job
        self.desk = desk
        self._jobs = jobs
        self._cancelled = job.cancelling
        self._told_s = float("-inf")

    @property
    def kept(self) -> dict[str, Any]:
        """Return what was kept so far."""
        return self.job.kept

    async def keep(self, **state: Any) -> None:
        """Keep where the job is, added to what was kept; it is on disk when this returns.

        Raises:
            DiskLow, LogUnavailable: It was not kept.
        """
        kept = {**self.job.kept, **state}
        await asyncio.to_thread(self._jobs.keep, self.job.id, kept)
        self.job = msgspec.structs.replace(self.job, kept=kept)

    async def forget(self, *names: str) -> None:
        """Forget some of what was kept; raises as `keep`."""
        kept = {name: value for name, value in self.job.kept.items() if name not in names}
        await asyncio.to_thread(self._jobs.keep, self.job.id, kept)
        self.job = msgspec.structs.replace(self.job, kept=kept)

    async def progress(self, done: int, total: int) -> None:
        """Say how far the job is; cheap to call often."""
        now_s = self.desk.clock.monotonic_s()
        self.job = msgspec.structs.replace(self.job, done=done, total=total)
        if done >= total or now_s - self._told_s >= PROGRESS_EVERY_S:
            self._told_s = now_s
            await asyncio.to_thread(self._jobs.progress, self.job.id, done, total)

    def check(self) -> None:
        """Return unless somebody cancelled the job.

        Raises:
            JobCancelled: Somebody did.
        """
        if self._cancelled:
            raise JobCancelled

    def cancel(self) -> None:
        """Let the next `check` raise; the runner calls it."""
        self._cancelled = True

    async def stored(self, offset: int, *, check: bool = True) -> None:
        """Wait until the worker has stored the record at an offset.

        Args:
            offset: Of the log.
            check: Stop waiting when the job is cancelled.

        Raises:
            JobCancelled: Somebody cancelled it.
        """
        while await asyncio.to_thread(self.desk.ledger.position) <= offset:
            if check:
                self.check()
            await asyncio.sleep(LOOK_EVERY_S)


class Kind(Protocol):
    """A kind of job."""

    @property
    def name(self) -> str:
        """Return its name, such as "import"."""
        ...

    async def run(self, work: Work) -> None:
        """Do the job; called again with the same job after a kill at any step, or for a retry.

        Raises:
            JobCancelled: It ended because somebody cancelled it.
            PlayheadError: It failed; the sentence is shown.
        """
        ...
