"""Schedules: copies and sinks that a project's files want at certain minutes.

What is due becomes a job whose id follows from what is due and when, so a stop between making the
job and noting it makes no second one. What fell due while nothing ran is made up for once.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final, Protocol

import msgspec

from playhead.access.files import write_private
from playhead.errors import InvalidRequest, NotFound, PlayheadError
from playhead.jobs.cron import Cron, cron
from playhead.jobs.job import Job
from playhead.jobs.runner import Runner
from playhead.observe import counter, logger
from playhead.project.resources import Node, Pipe, Project

FILE: Final = Path("project") / "schedules.json"
"""Inside a workspace's folder."""
LOOK_EVERY_S: Final = 1.0
KINDS: Final = {"copy": "COPY_SCHEDULE", "sink": "EXPORT_SCHEDULE"}
"""Kinds of nodes that have a schedule, and the instruction that says it."""
_LOG = logger("schedules")
_SKIPPED = counter(
    "schedule_skipped", "Due times left out because the run before had not ended", ("pipe",)
)


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one schedule."""

    seen_ms: int
    """The last due time that was looked after, or when the schedule was first seen."""
    paused: bool = False
    cron: str = ""


class Scheduled(msgspec.Struct, frozen=True):
    """A node with a schedule."""

    pipe: Pipe
    node: Node
    cron: str
    target: str = ""
    """The data source it writes; no alias."""

    @property
    def key(self) -> str:
        """Return what names it in the file."""
        return f"{self.pipe.name}/{self.node.name}"


class Workspaces(Protocol):
    """Whoever knows the projects that are live."""

    def each(self) -> AsyncIterator[tuple[str, Path, Project]]:
        """Yield the id ("" = main), folder and project of every workspace."""
        ...


JobOf = Callable[[str, Scheduled, int], Job]
"""Makes the job of a workspace's node that fell due at a time (UTC ms)."""


class Schedules:
    """Makes jobs of what falls due.

    Args:
        runner: Takes the jobs.
        workspaces: Where projects are looked up.
        job_of: Makes a job; its id is set here.
    """

    def __init__(self, runner: Runner, workspaces: Workspaces, job_of: JobOf) -> None:
        self._runner = runner
        self._workspaces = workspaces
        self._job_of = job_of
        self._lock = asyncio.Lock()

    async def run(self) -> None:
        """Look every second until cancelled."""
        while True:
            try:
                await self.look()
            except (PlayheadError, OSError) as error:
                _LOG.warning("schedules_not_looked_at", reason=str(error))
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Make a job of everything that is due now; one workspace's trouble is not the others'."""
        async for workspace, folder, project in self._workspaces.each():
            try:
                await self._look_at(workspace, folder, project)
            except (PlayheadError, OSError) as error:
                _LOG.warning("schedules_not_looked_at", workspace=workspace, reason=str(error))

    async def _look_at(self, workspace: str, folder: Path, project: Project) -> None:
        wanted = scheduled(project)
        async with self._lock:
            planned = await asyncio.to_thread(_read, folder)
            found = {k: p for k, p in planned.items() if k in {one.key for one in wanted}}
            for one in wanted:
                found[one.key] = await self._looked(workspace, one, found.get(one.key))
            if found != planned:
                await asyncio.to_thread(_write, folder, found)

    async def pause(self, folder: Path, project: Project, pipe: str, *, paused: bool) -> None:
        """Let a pipe's schedule rest, or go on from now.

        Raises:
            NotFound: The pipe has no schedule.
        """
        one = next((one for one in scheduled(project) if one.pipe.name == pipe), None)
        if one is None:
            raise NotFound(f"The pipe '{pipe[:80]}' has no schedule.")
        async with self._lock:
            planned = await asyncio.to_thread(_read, folder)
            now_ms = self._runner.desk.clock.now_ms()
            planned[one.key] = Planned(seen_ms=now_ms, paused=paused, cron=one.cron)
            await asyncio.to_thread(_write, folder, planned)

    async def _looked(self, workspace: str, one: Scheduled, planned: Planned | None) -> Planned:
        now_ms = self._runner.desk.clock.now_ms()
        if planned is None or planned.cron != one.cron:
            paused = planned.paused if planned else False
            return Planned(seen_ms=now_ms, paused=paused, cron=one.cron)
        due_ms = None if planned.paused else last_due(cron(one.cron), planned.seen_ms, now_ms)
        if due_ms is None:
            return planned
        job = self._job_of(workspace, one, due_ms)
        job = msgspec.structs.replace(job, id=id_of(workspace, one.key, due_ms))
        if await self._is_busy(job):
            _SKIPPED.labels(one.pipe.name).inc()
            _LOG.warning("schedule_skipped", pipe=one.pipe.name, reason="the run before goes on")
        else:
            await self._submit(job)
        return msgspec.structs.replace(planned, seen_ms=due_ms)

    async def _is_busy(self, job: Job) -> bool:
        for state in ("waiting", "working"):
            found = await self._runner.newest(workspace=job.workspace, kind=job.kind, state=state)
            if any(one.name == job.name and one.id != job.id for one in found):
                return True
        return False

    async def _submit(self, job: Job) -> None:
        try:
            await self._runner.find(job.id)
        except NotFound:
            await self._runner.submit(job)


def scheduled(project: Project) -> list[Scheduled]:
    """Return the nodes that run by themselves; a schedule that cannot be read is left out."""
    found = []
    for _, pipe in sorted(project.pipes.items()):
        for node in pipe.nodes:
            text = node.options.get(KINDS.get(node.kind, ""), "")
            if not text or text.lower() in {"@on-demand", "@once"}:
                continue
            try:
                cron(text)
            except InvalidRequest as error:
                _LOG.warning("schedule_not_read", pipe=pipe.name, reason=error.message)
                continue
            target = project.aliases.get(node.target, node.target)
            found.append(Scheduled(pipe, node, text, target))
    return found


def last_due(when: Cron, seen_ms: int, now_ms: int) -> int | None:
    """Return the last due time after `seen_ms` and not after `now_ms`; None = nothing is due."""
    due_ms = when.next_ms(seen_ms)
    if due_ms is None or due_ms > now_ms:
        return None
    # From near the end: a server that was away for a year need not count every minute of it.
    for back_ms in (3_600_000, 86_400_000, 32 * 86_400_000):
        later = when.next_ms(max(seen_ms, now_ms - back_ms))
        if later is not None and later <= now_ms:
            due_ms = later
            break
    while (later := when.next_ms(due_ms)) is not None and later <= now_ms:
        due_ms = later
    return due_ms


def id_of(workspace: str, key: str, due_ms: int) -> str:
    """Return the id of the job of what fell due: always the same, and in order of time."""
    digest = hashlib.blake2b(f"{workspace}\n{key}\n{due_ms}".encode(), digest_size=10).hexdigest()
    text = f"{due_ms & 0xFFFFFFFFFFFF:012x}7{digest[1:]}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:32]))


def _read(folder: Path) -> dict[str, Planned]:
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=dict[str, Planned])
    except FileNotFoundError:
        return {}
    except msgspec.DecodeError as error:
        # Nothing is run twice for it: every schedule counts from now.
        _LOG.error("schedules_not_read", reason=str(error), kept="nothing; they begin anew")
        return {}


def _write(folder: Path, planned: dict[str, Planned]) -> None:
    write_private(folder / FILE, msgspec.json.encode(planned).decode())
