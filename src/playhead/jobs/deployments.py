"""Deployments as jobs: made, promoted and discarded while no other job writes the workspace."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from playhead.build.deployment.deployments import Deployments
from playhead.build.deployment.record import Records
from playhead.build.target import target_of
from playhead.errors import Conflict, PlayheadError, ProjectInvalid
from playhead.jobs.job import Job
from playhead.jobs.runner import ANY, Runner
from playhead.jobs.work import Desk, JobCancelled, Work
from playhead.observe import logger
from playhead.project.homes import database_of, id_of
from playhead.record.recorder import Operation, Recorder

KIND: Final = "deployment"
MAKE: Final = "make"
PROMOTE: Final = "promote"
DISCARD: Final = "discard"
_LOG = logger("deployments")


class DeploymentJob:
    """The kind of job."""

    name: Final = KIND

    def __init__(self, recorder: Recorder | None = None) -> None:
        self._recorder = recorder

    async def run(self, work: Work) -> None:
        """Make, promote or discard a deployment; a kill in between changes nothing.

        Raises:
            JobCancelled: It was cancelled while it was made, and nothing of it is left.
            PlayheadError: It failed; what was live is live.
        """
        deployments = await deployments_of(work.desk, work.job.workspace, self._recorder)
        id, do = work.job.name, work.job.detail.get("do")  # noqa: A001 (its own word)
        if do not in {PROMOTE, DISCARD}:
            await self._make(work, deployments, id)
            return
        try:
            await (deployments.promote(id) if do == PROMOTE else deployments.discard(id))
        except Conflict as error:  # a job keeps one sentence: the way out belongs to it
            raise Conflict(f"{error.message} {error.hint}") from error

    async def _make(self, work: Work, deployments: Deployments, id: str) -> None:  # noqa: A002
        try:
            made = await deployments.run(id, work.check)
        except JobCancelled:
            await deployments.discard(id)
            raise
        if made.status == "failed":
            raise ProjectInvalid(made.errors[-1].error if made.errors else None)


def deployment_job(id: str, do: str, *, workspace: str) -> Job:  # noqa: A002 (its own word)
    """Return the job of doing something with a deployment."""
    detail: dict[str, Any] = {"do": do}
    return Job(kind=KIND, workspace=workspace, name=id, writes=ANY, detail=detail)


async def adopt(runner: Runner, workspaces: Iterable[str]) -> None:
    """Give a job to each deployment under way that has none: a kill came between the two."""
    try:
        unfinished = await asyncio.to_thread(runner.jobs.unfinished)
        at_work = {(job.workspace, job.name) for job in unfinished if job.kind == KIND}
        for workspace in workspaces:
            records = Records(runner.desk.folder(workspace))
            one = await asyncio.to_thread(records.open)
            if one is None or one.status != "in_progress" or (workspace, one.id) in at_work:
                continue
            _LOG.warning("deployment_taken_up", id=one.id, workspace=workspace)
            await runner.submit(deployment_job(one.id, MAKE, workspace=workspace))
    except PlayheadError as error:
        # The server starts all the same; such a one can be discarded by hand.
        _LOG.error("deployments_not_taken_up", reason=error.message)


async def deployments_of(
    desk: Desk, workspace: str, recorder: Recorder | None = None
) -> Deployments:
    """Return the deployments of a workspace.

    Raises:
        NotFound: There is no such workspace.
        StoreUnavailable: The store does not answer.
    """
    folder = desk.folder(workspace)
    target = await target_of(desk.store, desk.config.pipes)
    target = msgspec.structs.replace(
        target, data_dir=folder, database=database_of(id_of(folder), target.database)
    )

    def backfilled(datasource: str, rows: int, took_s: float) -> None:
        if recorder is not None:
            recorder.operation(
                Operation(
                    event_type="deployment_backfill",
                    datasource=datasource,
                    rows=rows,
                    elapsed_s=took_s,
                    workspace=workspace,
                )
            )

    return Deployments(
        target, desk.clock, backfilled=backfilled, log_end=lambda: desk.log.bounds().next
    )
