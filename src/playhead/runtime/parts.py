"""What the web process is made of: opened in order, closed in the same order, handed to who needs it."""

import asyncio
from collections.abc import Mapping

from playhead.access import DATABASE_FILE, Tokens
from playhead.clock import Clock
from playhead.collect.door import ASGIApp
from playhead.collect.doors import doors
from playhead.collect.entrance import Promises
from playhead.collect.idempotency import DATABASE_FILE as KEYS_FILE
from playhead.collect.idempotency import Keys
from playhead.collect.refusals import Refusals
from playhead.collect.retry import Retry
from playhead.config import Config
from playhead.errors import LogError, PlayheadError, Unavailable
from playhead.jobs.projects import Projects
from playhead.jobs.runner import Runner
from playhead.jobs.schedules import Schedules
from playhead.jobs.work import Desk
from playhead.log.appender import Appender
from playhead.log.offsets import Ledger
from playhead.log.progress import Progress
from playhead.log.segments import SegmentLog
from playhead.observe import logger
from playhead.record.recorder import Recorder
from playhead.record.tables import Keep
from playhead.runtime.jobs import jobs_of, kinds_of, schedules_of
from playhead.runtime.location import location_of
from playhead.serve.bookkeeping import Bookkeeping
from playhead.serve.services import Services
from playhead.serve.workspace_sources import WorkspaceSources
from playhead.serve.workspaces import Workspaces
from playhead.store.client import AsyncStoreClient

_LOG = logger("web")


class Parts:
    """The files and connections of the web process.

    Raises:
        DataDirBusy: Another process writes in the data folder.
        PlayheadError: A file of it cannot be opened; the sentence says which.
    """

    def __init__(self, config: Config, clock: Clock) -> None:
        folder = config.data_dir
        self.config = config
        self.clock = clock
        self.ledger = Ledger(folder / "worker.db", writable=False)
        self.log = SegmentLog(
            folder / "log", config.log, clock, writable=True, resume_at=self.ledger.position()
        )
        self.began_at = _end_of(self.log)
        self.appender = Appender(self.log, config.log, clock)
        self.tokens = Tokens(folder / DATABASE_FILE, clock)
        self.tokens.ensure_admin(folder)
        self.keys = Keys(folder / KEYS_FILE, self.log, config.collect, clock)
        _settle(self.keys)
        self.store = AsyncStoreClient(location_of(config))
        self.workspaces = Workspaces(config, self.store, self.tokens, clock)
        self.jobs = jobs_of(config, clock)

    async def close(self) -> None:
        """Close everything; what is on its way into the log is there first."""
        await self.appender.close()
        await self.store.close()
        await self.workspaces.close()
        self.keys.close()
        self.log.close()
        self.ledger.close()
        self.tokens.close()
        self.jobs.close()


def work_of(parts: Parts, recorder: Recorder | None) -> tuple[Runner, Schedules]:
    """Return what runs jobs, and what makes jobs of what falls due."""
    desk = Desk(
        config=parts.config,
        clock=parts.clock,
        store=parts.store,
        log=parts.log,
        append=parts.appender.append,
        ledger=parts.ledger,
        homes=parts.workspaces,
    )
    projects = Projects(desk, parts.workspaces)
    runner = Runner(parts.jobs, desk, kinds_of(projects, recorder))
    return runner, schedules_of(runner, projects)


def services_of(
    parts: Parts, recorder: Recorder | None, runner: Runner, schedules: Schedules
) -> tuple[Services, Mapping[str, ASGIApp]]:
    """Return what the answers are made from, and the doors by their paths."""
    config, clock = parts.config, parts.clock
    refusals = Refusals()
    progress = Progress(parts.ledger.position, wait_ms=config.collect.wait_ms)
    sources = WorkspaceSources(parts.workspaces, config.pipes.reload_ms, clock)
    ingested = recorder.ingested if recorder else None
    promises = Promises(parts.keys, progress.stored, sources, parts.workspaces, ingested)
    paths = doors(config, parts.appender.append, parts.tokens, clock, refusals, promises)
    services = Services(
        config=config,
        clock=clock,
        store=parts.store,
        tokens=parts.tokens,
        log=parts.log,
        ledger=parts.ledger,
        refusals=refusals,
        retry=Retry(paths, parts.appender.append, began_at=parts.began_at),
        recorder=recorder,
        runner=runner,
        schedules=schedules,
        started_at_ms=clock.now_ms(),
        workspaces=parts.workspaces,
    )
    return services, paths


def recording(parts: Parts) -> tuple[Recorder | None, list[asyncio.Task[None]]]:
    """Return the recorder of the service tables and its tasks; nothing where it is switched off."""
    config, clock = parts.config, parts.clock
    settings = config.record
    if not settings.enabled:
        return None, []
    recorder = Recorder(
        parts.store,
        clock,
        keep=Keep(requests_days=settings.requests_days, days=settings.days),
        rows_max=settings.max_pending_rows,
        every_ms=settings.every_ms,
    )
    book = Bookkeeping(config, clock, parts.store, parts.ledger, recorder)
    tasks = (recorder.run(), book.storage(), book.jobs(parts.jobs))
    return recorder, [asyncio.create_task(one) for one in tasks]


def _end_of(log: SegmentLog) -> int | None:
    """Return the log's end, None while the disk is away: the doors start all the same."""
    try:
        return log.bounds().next
    except (PlayheadError, OSError):
        return None


def _settle(keys: Keys) -> None:
    """Close what a kill left open; where that is not possible now, each key is settled when used."""
    try:
        keys.settle()
    except (Unavailable, LogError) as error:
        _LOG.error("idempotency_keys_not_settled", reason=error.message)
