"""Deployments: a project becomes live beside the one that is, with its rows, or not at all.

Every step may be cut off by a kill and is done again by `run`: what is under way is kept in a file
(`record.py`), rows are poured by tokens, and until the switch nothing of the live side
has changed.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from playhead.access.grant import QUARANTINE
from playhead.build.definition import placed_definitions
from playhead.build.deployment.draft import project_of
from playhead.build.deployment.making import WAIT_S, Backfilled, Check, Making, Outcome
from playhead.build.deployment.record import (
    BUILT,
    Deployment,
    Fault,
)
from playhead.build.deployment.staging import Staging
from playhead.build.deployment.switch import Name, Switch, left_by, sweep, switch
from playhead.build.lock import locked
from playhead.build.manifest import read_built
from playhead.build.target import Target
from playhead.build.tokens import ensure_tokens
from playhead.clock import Clock
from playhead.errors import Conflict, PlayheadError, Unavailable
from playhead.observe import logger
from playhead.project.manifest import Manifest
from playhead.project.resources import Project

_LOG = logger("deployments")


def _nothing() -> None:
    return


class Deployments:
    """The deployments of one workspace.

    Args:
        target: The store, and the workspace's own database; `data_dir` is its folder.
        clock: The clock.
        backfilled: See `Backfilled`.
        log_end: Gives the log's next offset: what came before it is stored before a cut; None = no
            log is before these tables.
    """

    def __init__(
        self,
        target: Target,
        clock: Clock,
        *,
        backfilled: Backfilled | None = None,
        log_end: Callable[[], int] | None = None,
    ) -> None:
        if target.data_dir is None:
            raise ValueError("deployments need a folder")
        self._folder: Path = target.data_dir
        self._target = target
        self._clock = clock
        self._making = Making(target, self._folder, clock, backfilled, log_end)
        self.records = self._making.records

    async def newest(self) -> list[Deployment]:
        """Return all deployments, the newest first; a project that was built counts as one."""
        found = await asyncio.to_thread(self.records.newest)
        live = await self._making.manifest()
        if not live.deployment and live.built_at_ms:
            at = live.built_at_ms
            found.append(Deployment(id=BUILT, status="live", created_at=at, live_at=at))
        else:
            now = next((one for one in found if one.live and one.before == BUILT), None)
            if now is not None:
                before = await asyncio.to_thread(self.records.manifest, now.id, "before")
                at = before.built_at_ms
                found.append(Deployment(id=BUILT, status="previous", created_at=at, live_at=at))
        return found

    async def find(self, id: str) -> Deployment:  # noqa: A002 (its own word)
        """Return a deployment; raises NotFound."""
        for one in await self.newest():
            if one.id == id:
                return one
        return self.records.known(id)

    async def check(self, project: Project, *, allow_destructive: bool = False) -> Outcome:
        """Say what a deployment would do, and change nothing.

        Raises:
            StoreUnavailable: The store is away.
        """
        async with locked(self._folder, self._clock, WAIT_S):
            found = await self._making.look(project, allow_destructive=allow_destructive)
        return self._making.outcome(found, "")

    async def create(
        self, project: Project, *, allow_destructive: bool = False, auto: bool = False
    ) -> Outcome:
        """Begin a deployment: looked at, planned, and kept; `run` makes it.

        Args:
            project: Its files, read.
            allow_destructive: Rows may be lost where the plan says so.
            auto: Promote it as soon as its rows are there.

        Raises:
            Conflict: One is staged already.
            DataDirBusy: A build is under way.
            StoreUnavailable: The store is away.
        """
        async with locked(self._folder, self._clock, WAIT_S):
            staged = self.records.open()
            if staged is not None:
                raise Conflict(
                    f"Deployment {staged.id} is staged already; nothing was changed.",
                    hint="Promote it or discard it first: 'playhead deployment ls'.",
                )
            found = await self._making.look(project, allow_destructive=allow_destructive)
            outcome = self._making.outcome(found, self.records.next_id())
            if outcome.result != "success":
                return outcome
            deployment = msgspec.structs.replace(
                outcome.deployment,
                auto=auto,
                allow_destructive=allow_destructive,
                database=f"{self._target.database}_d{outcome.deployment.id}",
            )
            staged_files = Manifest(
                database=self._target.database,
                files=project.files,
                secrets=project.secrets,
                deployment=deployment.id,
            )
            self.records.write_manifest(deployment.id, "staged", staged_files)
            self.records.write(deployment)
            self.records.trim()
        return msgspec.structs.replace(outcome, deployment=deployment)

    async def run(self, id: str, check: Check = _nothing) -> Deployment:  # noqa: A002
        """Make a deployment, from where it is; with `auto` up to its promotion.

        Args:
            id: Whose.
            check: Called between steps; what it raises ends the run, and `discard` follows.

        Returns:
            It, `data_ready` or `live`; or `failed`, then nothing of it is left.

        Raises:
            Unavailable: The store went away, or rows do not arrive; call it again.
        """
        deployment = self.records.known(id)
        try:
            if deployment.status == "in_progress":
                if not deployment.cut:
                    deployment = await self._making.cut(deployment, check)
                deployment = await self._making.pour(deployment, check)
            if deployment.auto and deployment.status == "data_ready":
                deployment = await self.promote(id)
        except Unavailable:
            raise
        except PlayheadError as error:
            now = self.records.known(id)
            if now.status not in {"in_progress", "data_ready"} or await self._is_live(now):
                raise
            return await self._failed(id, error)
        return deployment

    async def promote(self, id: str) -> Deployment:  # noqa: A002
        """Make a staged deployment live, or the one before live again.

        Raises:
            NotFound: There is none.
            Conflict: It is not ready, or there is no way back; the sentence says what to do.
            Unavailable: Rows do not arrive, or the store is away; nothing was changed.
        """
        async with locked(self._folder, self._clock, WAIT_S):
            deployment = await self.find(id)
            if deployment.status == "live":
                return deployment
            if deployment.status == "previous":
                return await self._back(deployment)
            if deployment.status != "data_ready":
                raise Conflict(
                    f"Deployment {id} is {deployment.status.replace('_', ' ')};"
                    " only one whose rows are there is promoted.",
                    hint=f"GET /v1/deployments/{id} says where it is.",
                )
            return await self._promote(deployment)

    async def discard(self, id: str) -> Deployment:  # noqa: A002
        """Remove a staged deployment with its tables, or what is left of the one before.

        Raises:
            NotFound: There is none.
            Conflict: It is live.
            Unavailable: Rows do not arrive, or the store is away; call it again.
        """
        async with locked(self._folder, self._clock, WAIT_S):
            deployment = await self.find(id)
            if await self._is_live(deployment):
                raise Conflict(
                    f"Deployment {id} is live; what is live is not discarded.",
                    hint="Promote another one first; or this one again, if that was cut off.",
                )
            if deployment.status == "previous":
                await self._forget_before(deployment)
            elif deployment.status in {"in_progress", "data_ready"}:
                await self._making.remove(deployment)
            else:
                return deployment
            deployment = msgspec.structs.replace(deployment, status="deleted")
            if deployment.id != BUILT:
                self.records.write(deployment)
            return deployment

    async def _is_live(self, deployment: Deployment) -> bool:
        """Return whether it is served, also when what follows a switch was cut off."""
        live = await self._making.manifest()
        return deployment.status == "live" or live.deployment == deployment.id

    def _refuse_refused(self, id: str) -> None:  # noqa: A002 (its own word)
        """Raise Conflict when a staged table has not taken a row that the live one has."""
        refused = self.records.refused()
        if refused is not None:
            raise Conflict(
                f"A row that came meanwhile does not fit the new '{refused[0]}': {refused[1]}",
                hint=f"The row is live. Discard deployment {id}, mend its files, deploy again.",
            )

    async def _promote(self, deployment: Deployment) -> Deployment:
        live = await self._making.manifest()

        def check() -> None:
            if live.deployment != deployment.id:
                self._refuse_refused(deployment.id)

        check()
        staging = await self._making.staging(deployment)
        to = await self._switch_to(
            staging.target, await self._making.project(deployment), deployment.id
        )
        if live.deployment != deployment.id:  # else a kill came between the switch and its record
            self.records.write_manifest(deployment.id, "before", live)
            leaves = await self._left(live, to)
            deployment = msgspec.structs.replace(deployment, leaves=leaves)
            self.records.write(deployment)
        before = self.records.manifest(deployment.id, "before")
        # Once more while no row is on its way: one may have been refused since.
        await switch(to, live, folder=self._folder, clock=self._clock, check=check)
        await asyncio.to_thread(ensure_tokens, to.project, self._folder, self._clock)
        deployment = await self._written_live(deployment, before)
        _LOG.info("deployment_live", id=deployment.id)
        return deployment

    async def _back(self, deployment: Deployment) -> Deployment:
        """Make the deployment before live again, which only goes where no table has moved."""
        now = next(one for one in await self.newest() if one.status == "live")
        if now.left or now.plan.moved():
            raise Conflict(
                f"Deployment {now.id} has moved tables, and those of {deployment.id} got no rows"
                " since; nothing was changed.",
                hint="Deploy the files of before again: the rows of now are carried over to them.",
            )
        live = await self._making.manifest()
        manifest = self.records.manifest(now.id, "before")
        self.records.write_manifest(deployment.id, "before", live)
        target = msgspec.structs.replace(self._target, places=manifest.places)
        to = await self._switch_to(target, project_of(manifest), manifest.deployment)
        await switch(to, live, folder=self._folder, clock=self._clock)
        if now.id != BUILT:
            self.records.write(msgspec.structs.replace(now, status="previous"))
        if deployment.id == BUILT:
            return msgspec.structs.replace(deployment, status="live")
        deployment = msgspec.structs.replace(
            deployment, status="live", before=now.id, plan=now.plan, left=()
        )
        self.records.write(deployment)
        return deployment

    async def _written_live(self, deployment: Deployment, before: Manifest) -> Deployment:
        """Keep that it is live, that the one before is the previous, and sweep what that had left."""
        target = await self._making.placed(await self._making.manifest())
        previous = before.deployment or (BUILT if before.built_at_ms else "")
        for one in self.records.newest():
            if one.id == deployment.id:
                continue
            if one.left:
                await sweep(target, await self._unused(one.left))
                self.records.write(msgspec.structs.replace(one, left=()))
                one = msgspec.structs.replace(one, left=())  # noqa: PLW2901 (as it is kept now)
            if one.status in {"live", "previous"}:
                status: Literal["previous", "deleted"] = (
                    "previous" if one.id == previous else "deleted"
                )
                self.records.write(msgspec.structs.replace(one, status=status, left=()))
        deployment = msgspec.structs.replace(
            deployment,
            status="live",
            live_at=self._clock.now_ms(),
            left=deployment.leaves,
            before=previous,
        )
        self.records.write(deployment)
        return deployment

    async def _forget_before(self, deployment: Deployment) -> None:
        """Remove the tables that only the deployment before had."""
        live = next((one for one in await self.newest() if one.status == "live"), None)
        if live is None or live.before != deployment.id:
            return
        target = await self._making.placed(await self._making.manifest())
        await sweep(target, await self._unused(live.left))
        self.records.write(msgspec.structs.replace(live, left=()))

    async def _failed(self, id: str, error: PlayheadError) -> Deployment:  # noqa: A002
        """Remove what a deployment has made, and keep why."""
        async with locked(self._folder, self._clock, WAIT_S):
            deployment = self.records.known(id)
            await self._making.remove(deployment)
            message = f"{' '.join(error.message.split())} {error.hint}".strip()
            deployment = msgspec.structs.replace(
                deployment,
                status="failed",
                errors=(*deployment.errors, Fault("", message)),
                pourings=(),
            )
            self.records.write(deployment)
        _LOG.warning("deployment_failed", id=id, reason=error.message)
        return deployment

    async def _switch_to(self, target: Target, project: Project, deployment: str) -> Switch:
        staging = Staging(target, Deployment(id="0"), project)
        return Switch(
            target=target,
            project=project,
            views=await staging.views(),
            tables=await placed_definitions(target.store, target.database, target.places),
            deployment=deployment,
        )

    async def _left(self, before: Manifest, to: Switch) -> tuple[Name, ...]:
        """Return the tables and views of what was live that are none of what is to be."""
        built = await asyncio.to_thread(read_built, self._folder)
        base = self._target.database
        views_before = {(built.places.get(name, base), name) for name in built.views}
        views_after = {(to.target.database_of(v.target), v.name) for v in to.views.values()}
        tables = {name: before.database_of(name) for name in await self._sources(before)}
        after = {name: to.target.database_of(name) for name in to.project.datasources}
        return left_by(tables, after, views_before, views_after, database=base)

    async def _unused(self, left: tuple[Name, ...]) -> list[Name]:
        """Return what of tables that were left nothing has taken up again: refused rows may be."""
        live = await self._making.manifest()
        names = await self._sources(live)
        used = {(live.database_of(name), name) for name in names}
        used |= {(self._target.database, name + QUARANTINE) for name in names}
        return [one for one in left if one not in used]

    async def _sources(self, manifest: Manifest) -> list[str]:
        target = await self._making.placed(manifest)
        there = await placed_definitions(target.store, target.database, manifest.places)
        project = await asyncio.to_thread(project_of, manifest)
        nodes = {node.target for pipe in project.pipes.values() for node in pipe.nodes}
        return [name for name in there if name in project.datasources or name in nodes]
