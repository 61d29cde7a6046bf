"""The making of a deployment: cut, pour, and removal of what was made; each may be done again."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import msgspec

from playhead.access.files import write_private
from playhead.build.deployment.draft import Look, look, project_of
from playhead.build.deployment.record import Deployment, Pouring, Records
from playhead.build.deployment.staging import Staging, without_databases, without_staged
from playhead.build.deployment.switch import sweep, views_in
from playhead.build.lock import barrier, locked, rows_read
from playhead.build.manifest import live_manifest
from playhead.build.routing import old_routes, routes_of, write_routes
from playhead.build.target import Target
from playhead.build.views import materialized
from playhead.clock import Clock
from playhead.errors import ProjectInvalid, Unavailable
from playhead.observe import logger
from playhead.project.manifest import STAGING_FILE, UNREADABLE, Manifest
from playhead.project.resources import Project
from playhead.project.routes import Routes
from playhead.record.tables import make_service_tables

WAIT_S: Final = 10.0
"""How long to wait for a build that is under way."""
Result = Literal["success", "failed", "no_changes"]
Check = Callable[[], None]
"""Raises when what is under way is to end."""
Backfilled = Callable[[str, int, float], None]
"""Is told of each data source that was filled: its name, rows, and for how many seconds."""
_LOG = logger("deployments")


class Outcome(msgspec.Struct, frozen=True):
    """What came of posting a project."""

    result: Result
    deployment: Deployment


class Making:
    """Makes the tables of deployments in one folder, and removes them."""

    def __init__(
        self,
        target: Target,
        folder: Path,
        clock: Clock,
        backfilled: Backfilled | None,
        log_end: Callable[[], int] | None,
    ) -> None:
        self._target = target
        self._folder = folder
        self._clock = clock
        self._backfilled = backfilled
        self._log_end = log_end
        self.records = Records(folder)

    async def look(self, project: Project, *, allow_destructive: bool) -> Look:
        """Lay a project out beside what is live, and plan; nothing is changed."""
        await make_service_tables(self._target.store)
        live = await self.manifest()
        target = await self.placed(live)
        return await look(target, project, live, allow_destructive=allow_destructive)

    def outcome(self, found: Look, id: str) -> Outcome:  # noqa: A002
        """Return what was found as a deployment of this id; with errors, or without changes, of none."""
        targets = {
            name: source
            for name, source in found.draft.project.datasources.items()
            if not source.text
        }
        deployment = Deployment(
            id=id,
            created_at=self._clock.now_ms(),
            changed=found.changed,
            feedback=found.feedback,
            errors=found.errors,
            plan=found.plan,
            targets=targets,
        )
        if found.errors:
            failed = msgspec.structs.replace(deployment, id="", status="failed")
            return Outcome("failed", failed)
        if not found.changed.any():
            return Outcome("no_changes", msgspec.structs.replace(deployment, id=""))
        return Outcome("success", deployment)

    async def cut(self, deployment: Deployment, check: Check) -> Deployment:
        """Make the tables and let rows flow into them; whatever an earlier run has made is removed."""
        async with locked(self._folder, self._clock, WAIT_S):
            await self._caught_up(check)
            await self.remove(deployment)
            live = await self.manifest()
            project = project_of(self.records.manifest(deployment.id, "staged"))
            target = await self.placed(live)
            # Anew: what is live may have changed since.
            allowed = deployment.allow_destructive
            found = await look(target, project, live, allow_destructive=allowed)
            if found.errors:
                first = found.errors[0]
                raise ProjectInvalid(f"{first.filename}: {first.error}")
            outcome = self.outcome(found, deployment.id).deployment
            deployment = msgspec.structs.replace(
                deployment,
                plan=outcome.plan,
                targets=outcome.targets,
                changed=outcome.changed,
                feedback=outcome.feedback,
            )
            staging = Staging(target, deployment, found.draft.project)
            check()
            made = await staging.prepare(found.live.definitions, found.draft.definitions)
            deployment = msgspec.structs.replace(deployment, made=made)
            self.records.write(deployment)
            return await self._joined(deployment, staging, found, live)

    async def _caught_up(self, check: Check) -> None:
        """Wait for rows in columns that a data source has left: after the cut they go to one side.

        Raises:
            RowsUnsettled: The worker is far behind the log, or away; nothing was changed.
        """
        routes = without_staged(await asyncio.to_thread(old_routes, self._folder))
        if self._log_end is None or all(len(shapes) < 2 for shapes in routes.sources.values()):
            return
        end = await asyncio.to_thread(self._log_end)
        await rows_read(self._folder, self._clock, end, check=check)

    async def _joined(
        self, deployment: Deployment, staging: Staging, found: Look, live: Manifest
    ) -> Deployment:
        """Do the cut itself."""
        wanted = found.draft.definitions
        views = await staging.views()
        before = old_routes(self._folder)
        alone = await routes_of(staging.target, found.draft.project, wanted, Routes())
        alone = msgspec.structs.replace(
            alone, sources={n: s for n, s in alone.sources.items() if n in wanted}
        )
        routes = staging.routes(before, alone, found.live.definitions)
        manifest = msgspec.structs.replace(
            live,
            files=found.draft.project.files,
            secrets=found.draft.project.secrets,
            places=staging.target.places,
            built_at_ms=self._clock.now_ms(),
            deployment=deployment.id,
        )
        self.records.forget_refused()
        async with barrier(self._folder, self._clock):
            began_s = self._clock.monotonic_s()
            await staging.cut(views)
            await asyncio.to_thread(write_routes, self._folder, routes)
            text = msgspec.json.encode(manifest).decode()
            await asyncio.to_thread(write_private, self._folder / STAGING_FILE, text)
            pause_ms = round((self._clock.monotonic_s() - began_s) * 1000)
        deployment = msgspec.structs.replace(
            deployment, cut=True, pause_ms=pause_ms, pourings=await staging.pourings()
        )
        self.records.write(deployment)
        _LOG.info("deployment_cut", id=deployment.id, pause_ms=pause_ms)
        return deployment

    async def pour(self, deployment: Deployment, check: Check) -> Deployment:
        """Bring the rows of before to the staged tables, and count them."""
        staging = await self.staging(deployment)

        async def poured(pouring: Pouring) -> None:
            nonlocal deployment
            every = tuple(
                pouring if one.datasource == pouring.datasource else one
                for one in deployment.pourings
            )
            deployment = msgspec.structs.replace(deployment, pourings=every)
            await asyncio.to_thread(self.records.write, deployment)
            check()

        for pouring in deployment.pourings:
            began_s = self._clock.monotonic_s()
            await staging.pour(pouring, poured)
            if self._backfilled is not None and pouring.rows:
                took_s = self._clock.monotonic_s() - began_s
                self._backfilled(pouring.datasource, pouring.rows, took_s)
        await self._verify(deployment, staging)
        await staging.tidy()
        now_ms = self._clock.now_ms()
        deployment = msgspec.structs.replace(deployment, status="data_ready", data_ready_at=now_ms)
        self.records.write(deployment)
        return deployment

    async def _verify(self, deployment: Deployment, staging: Staging) -> None:
        """Count what has come while no row is on its way, so that new rows hide none that is missing."""
        if not any(not one.fills for one in deployment.pourings):
            return
        live = await asyncio.to_thread(project_of, await self.manifest())
        filled = {node.target for _, node in materialized(live)}
        async with barrier(self._folder, self._clock):
            # A refused row is no shortfall: the promotion says what is the matter with it.
            refused = await asyncio.to_thread(self.records.refused)
            await staging.verify(deployment.pourings, filled, both=refused is None)

    async def remove(self, deployment: Deployment) -> None:
        """Remove the staged side: first no row goes there any more, then its tables go."""
        target = await self.placed(await self.manifest())
        staging = Staging(target, deployment, Project())
        async with barrier(self._folder, self._clock):
            await asyncio.to_thread(self._lead_away, staging.databases)
        views = await views_in(target, staging.databases)
        await sweep(target, sorted(views))
        await staging.remove()
        await sweep(target, deployment.made)
        self.records.forget_refused()

    def _lead_away(self, databases: tuple[str, ...]) -> None:
        (self._folder / STAGING_FILE).unlink(missing_ok=True)
        routes = old_routes(self._folder)
        without = without_databases(routes, databases)
        if without != routes:
            write_routes(self._folder, without)

    async def manifest(self) -> Manifest:
        """Return what is live; raises Unavailable when it cannot be read."""
        try:
            return await asyncio.to_thread(live_manifest, self._folder)
        except UNREADABLE as error:
            raise Unavailable(
                "The live project cannot be read, so nothing can follow it.",
                hint="Build the project again.",
            ) from error

    async def placed(self, live: Manifest) -> Target:
        """Return the store with the places of what is live."""
        return msgspec.structs.replace(self._target, places=live.places)

    async def staging(self, deployment: Deployment) -> Staging:
        """Return the staged side of a deployment whose plan is made."""
        before = await self.manifest()
        if before.deployment == deployment.id:
            before = self.records.manifest(deployment.id, "before")
        target = await self.placed(before)
        return Staging(target, deployment, await self.project(deployment))

    async def project(self, deployment: Deployment) -> Project:
        """Return the project that a deployment brings."""
        manifest = self.records.manifest(deployment.id, "staged")
        return await asyncio.to_thread(project_of, manifest, deployment.targets)
