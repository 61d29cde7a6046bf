"""What the service tables learn by looking: how large data sources are, and how jobs go."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from playhead.access.grant import QUARANTINE
from playhead.clock import Clock
from playhead.config import Config
from playhead.errors import PlayheadError
from playhead.jobs.job import Job
from playhead.jobs.table import Jobs
from playhead.log.offsets import Ledger
from playhead.observe import logger
from playhead.project.manifest import LIVE_FILE, UNREADABLE, Manifest, read_manifest
from playhead.record.entries import Export, JobRow, Operation, Size
from playhead.record.recorder import Recorder
from playhead.store.async_client import AsyncStoreClient

JOBS_EVERY_S: Final = 1.0
JOBS_AT_ONCE: Final = 1_000
"""Most changes of jobs looked at a second; the rest comes in the next."""
LOOK_BACK_MS: Final = 3_600_000
"""Before the start: a kill can come between the end of a job and the note of it."""
WORKSPACES_FOLDER: Final = "workspaces"
_KINDS: Final = {"delete": "delete_data"}
_OF_PIPES: Final = frozenset({"copy", "sink", "populate"})
"""Jobs whose name is a pipe's."""
_EVENTS: Final = {
    "truncate": "truncate", "delete": "delete", "copy": "copy", "populate": "populateview",
}  # fmt: skip
_LOG = logger("record")


class Bookkeeping:
    """Looks now and then; `storage` and `jobs` are tasks of the web process."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        store: AsyncStoreClient,
        ledger: Ledger,
        recorder: Recorder,
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._store = store
        self._recorder = recorder
        self._seen: dict[str, int] = {}
        self._began_ms = clock.now_ms()
        self._since_ms = self._began_ms - LOOK_BACK_MS

    async def storage(self) -> None:
        """Record how large data sources are, until cancelled."""
        while True:
            try:
                await self.measure()
            except PlayheadError as error:
                _LOG.info("storage_not_recorded", reason=error.message)
            await asyncio.sleep(self._config.record.storage_every_ms / 1000)

    async def jobs(self, jobs: Jobs) -> None:
        """Record how jobs go, until cancelled."""
        while True:
            try:
                await self.follow(jobs)
            except PlayheadError as error:
                _LOG.info("jobs_not_recorded", reason=error.message)
            await asyncio.sleep(JOBS_EVERY_S)

    async def measure(self) -> None:
        """Record how large the data sources of every workspace are."""
        for workspace, manifest in await asyncio.to_thread(manifests_of, self._config.data_dir):
            databases = sorted({manifest.database, *manifest.places.values()})
            rows = await self._store.rows(
                "SELECT database, name, toUInt64(coalesce(total_rows, 0)),"
                " toUInt64(coalesce(total_bytes, 0)) FROM system.tables"
                " WHERE has({databases:Array(String)}, database) AND engine NOT LIKE '%View'",
                {"databases": databases},
            )
            held = {(row[0], row[1]): (int(row[2]), int(row[3])) for row in rows.rows}
            self._recorder.storage(_sizes(workspace, manifest, held))

    async def follow(self, jobs: Jobs) -> None:
        """Record the jobs that changed since the last look."""
        changed = await asyncio.to_thread(jobs.changed_since, self._since_ms, JOBS_AT_ONCE)
        for job in changed:
            # Two changes in one millisecond: what was seen with this very time is not seen again.
            if self._seen.get(job.id) != job.updated_at:
                self._recorder.job(_row(job))
                if job.ended and job.updated_at >= self._began_ms:
                    await self._ended(job)
            self._since_ms = max(self._since_ms, job.updated_at)
        self._seen = {job.id: job.updated_at for job in changed}

    async def _ended(self, job: Job) -> None:
        """Record what a job did to its data source."""
        if job.kind == "sink":
            self._recorder.export(_export(job))
            return
        event = _event_of(job)
        if not event:
            return
        counts = await asyncio.to_thread(self._ledger.job_counts, job.id)
        rows = counts.get("rows", job.kept.get("rows") or 0)
        pipe = job.kind in _OF_PIPES
        self._recorder.operation(
            Operation(
                event_type=event,
                datasource=job.writes if pipe else job.name,
                workspace=job.workspace,
                result="ok" if job.state == "done" else "error",
                error=job.error or ("" if job.state == "done" else "It was cancelled."),
                elapsed_s=max(0, job.updated_at - job.started_at) / 1000 if job.started_at else 0.0,
                rows=rows,
                rows_quarantine=counts.get("quarantined", 0),
                job_id=job.id,
                import_id=job.id if job.kind == "import" else "",
                pipe=job.name if pipe else "",
                written_rows=rows,
                written_rows_quarantine=counts.get("quarantined", 0),
            )
        )


def _export(job: Job) -> Export:
    files = job.kept.get("files")
    return Export(
        pipe=job.name,
        workspace=job.workspace,
        token_name=job.token_name,
        result="ok" if job.state == "done" else "error",
        error=job.error,
        elapsed_s=max(0, job.updated_at - job.started_at) / 1000 if job.started_at else 0.0,
        job_id=job.id,
        rows=int(job.kept.get("rows") or 0),
        byte_count=int(job.kept.get("bytes") or 0),
        output=tuple(map(str, files)) if isinstance(files, list) else (),
    )


def _event_of(job: Job) -> str:
    """Return what the reference calls what a job did; "" for one that changes no data source."""
    if job.kind == "import":
        return "replace" if job.detail.get("mode") == "replace" else "append"
    return _EVENTS.get(job.kind, "")


def manifests_of(data_dir: Path) -> list[tuple[str, Manifest]]:
    """Return what is live in each workspace; one that cannot be read is left out."""
    found: list[tuple[str, Manifest]] = []
    for workspace, folder in (("", data_dir), *_further(data_dir)):
        try:
            found.append((workspace, read_manifest(folder / LIVE_FILE)))
        except (FileNotFoundError, *UNREADABLE):
            continue
    return found


def _further(data_dir: Path) -> Iterator[tuple[str, Path]]:
    folder = data_dir / WORKSPACES_FOLDER
    if folder.is_dir():
        yield from ((one.name, one) for one in sorted(folder.iterdir()) if one.is_dir())


def _sizes(
    workspace: str, manifest: Manifest, held: dict[tuple[str, str], tuple[int, int]]
) -> Iterator[Size]:
    for (database, name), (rows, byte_count) in held.items():
        if name.endswith(QUARANTINE) or database != manifest.places.get(name, manifest.database):
            continue
        refused = held.get((manifest.database, name + QUARANTINE), (0, 0))
        yield Size(
            datasource=name,
            workspace=workspace,
            rows=rows,
            byte_count=byte_count,
            rows_quarantine=refused[0],
            byte_count_quarantine=refused[1],
        )


def _row(job: Job) -> JobRow:
    pipe = job.kind in _OF_PIPES
    return JobRow(
        id=job.id,
        kind=_KINDS.get(job.kind, job.kind),
        workspace=job.workspace,
        pipe=job.name if pipe else "",
        datasource=(job.writes if job.writes != "*" else "") if pipe else job.name,
        created_ms=job.created_at,
        updated_ms=job.updated_at,
        started_ms=job.started_at,
        status=job.state,
        error=job.error,
        metadata=msgspec.json.encode({"done": job.done, "total": job.total}).decode(),
    )
