"""`/v1/deploy` and `/v1/deployments`: a whole project becomes live beside the one that is."""

import asyncio
from contextlib import suppress
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playhead.build.deployment.deployments import Deployments
from playhead.build.deployment.making import Outcome
from playhead.build.deployment.record import Deployment
from playhead.errors import Conflict, DataDirBusy, Forbidden, InvalidRequest, Unavailable
from playhead.jobs.deployments import (
    DISCARD,
    MAKE,
    PROMOTE,
    deployment_job,
    deployments_of,
)
from playhead.jobs.runner import Runner
from playhead.query.span import iso
from playhead.serve.pipes.build_answers import posted_project
from playhead.serve.pipes.desk import PipeDesk, document
from playhead.serve.pipes.reading import Reading
from playhead.serve.services import Services

DEPLOY: Final = "/v1/deploy"
PATH: Final = "/v1/deployments"
ENDED_WITHIN_S: Final = 25.0
"""How long a promotion may take before the answer says that it is still under way."""
_YES: Final = {"true": True, "1": True, "": False, "false": False, "0": False}


class DeploymentAnswers:
    """Makes, lists, promotes and discards deployments, for admins."""

    def __init__(self, desk: PipeDesk, services: Services, runner: Runner) -> None:
        self._desk = desk
        self._services = services
        self._runner = runner

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route(DEPLOY, self.deploy, methods=["POST"]),
            Route(PATH, self.deployments, methods=["GET"]),
            Route(PATH + "/{id}", self.deployment, methods=["GET", "DELETE"]),
            Route(PATH + "/{id}/set-live", self.set_live, methods=["POST"]),
        ]

    async def deploy(self, request: Request) -> Response:
        """`POST /v1/deploy`."""
        return await self._desk.answer(request, self._deploy)

    async def deployments(self, request: Request) -> Response:
        """`GET /v1/deployments`."""
        return await self._desk.answer(request, self._deployments)

    async def deployment(self, request: Request) -> Response:
        """`GET` and `DELETE /v1/deployments/{id}`."""
        handler = self._discard if request.method == "DELETE" else self._deployment
        return await self._desk.answer(request, handler)

    async def set_live(self, request: Request) -> Response:
        """`POST /v1/deployments/{id}/set-live`."""
        return await self._desk.answer(request, self._set_live)

    async def _deploy(self, request: Request, reading: Reading) -> Response:
        home = self._desk.home(request)
        project = await posted_project(request, reading, self._services, home)
        destructive = _flag(request, "allow_destructive_operations")
        deployments = await self._of(request, reading)
        try:
            if _flag(request, "check"):
                outcome = await deployments.check(project, allow_destructive=destructive)
                return document(_answered(outcome))
            outcome = await deployments.create(
                project, allow_destructive=destructive, auto=_flag(request, "auto_promote")
            )
        except DataDirBusy:
            raise Unavailable(
                "A build or deployment of the project is under way.",
                hint="Try again in a few seconds.",
            ) from None
        if outcome.result == "success":
            job = deployment_job(outcome.deployment.id, MAKE, workspace=home.id)
            await self._runner.submit(job, reading.grant)
        return document(_answered(outcome))

    async def _deployments(self, request: Request, reading: Reading) -> Response:
        found = await (await self._of(request, reading)).newest()
        return document({"deployments": [_described(one) for one in found]})

    async def _deployment(self, request: Request, reading: Reading) -> Response:
        deployments = await self._of(request, reading)
        found = await deployments.find(request.path_params["id"])
        return document({"deployment": _described(found)})

    async def _set_live(self, request: Request, reading: Reading) -> Response:
        return await self._done(request, reading, PROMOTE)

    async def _discard(self, request: Request, reading: Reading) -> Response:
        return await self._done(request, reading, DISCARD)

    async def _done(self, request: Request, reading: Reading, do: str) -> Response:
        """Let a job do it, after those that write the workspace; wait for it as long as is polite."""
        deployments = await self._of(request, reading)
        id = request.path_params["id"]  # noqa: A001 (its own word)
        found = await deployments.find(id)
        if do == DISCARD and found.status == "in_progress":
            await self._cancel(request, id)
        home = self._desk.home(request)
        job = await self._runner.submit(deployment_job(id, do, workspace=home.id), reading.grant)
        ended = None
        with suppress(TimeoutError):
            ended = await asyncio.wait_for(self._runner.ended(job.id), ENDED_WITHIN_S)
        if ended is not None and ended.state == "error":
            raise Conflict(ended.error, hint="")
        await home.project.newest()
        found = await deployments.find(id)
        said = {"result": "success", "deployment": _described(found)}
        return document(said if ended else {**said, "result": "in_progress", "job_id": job.id})

    async def _cancel(self, request: Request, id: str) -> None:  # noqa: A002
        """Cancel the job that makes a deployment: it discards it by itself."""
        workspace = self._desk.home(request).id
        for job in await self._runner.newest(workspace=workspace, kind="deployment"):
            if job.name == id and not job.ended and job.detail.get("do") == MAKE:
                await self._runner.cancel(job.id)

    async def _of(self, request: Request, reading: Reading) -> Deployments:
        if not reading.grant.is_whole():
            raise Forbidden(
                "Only an admin token deploys and sees deployments.",
                hint="Use that of admin.token, or one with the scope ADMIN.",
            )
        home = self._desk.home(request)
        return await deployments_of(self._runner.desk, home.id, self._services.recorder)


def deployment_routes(desk: PipeDesk, services: Services) -> list[Route]:
    """Return the addresses; none where no jobs are run."""
    if services.runner is None:
        return []
    return DeploymentAnswers(desk, services, services.runner).routes()


def _flag(request: Request, name: str) -> bool:
    found = _YES.get(request.query_params.get(name, "").lower())
    if found is None:
        raise InvalidRequest(f"The parameter '{name}' takes true or false.")
    return found


def _answered(outcome: Outcome) -> dict[str, Any]:
    """Return what came of posting a project, as its clients read it."""
    said = _described(outcome.deployment)
    return {"result": outcome.result, "deployment": said, "errors": said["errors"]}


_WAITED_FOR: Final = {"live": "data_ready", "previous": "deleted"}
"""What clients of the reference wait for: the new one ready, then `live`, then the old one gone."""


def _described(one: Deployment) -> dict[str, Any]:
    """Return a deployment as its clients read it; times are UTC, rows those of before."""
    total = sum(pouring.rows for pouring in one.pourings)
    done = sum(pouring.rows_done() for pouring in one.pourings)
    return {
        "id": one.id,
        "status": _WAITED_FOR.get(one.status, one.status),
        "state": one.status,
        "live": one.live,
        "created_at": iso(one.created_at),
        "created_at_ms": one.created_at,
        "updated_at": iso(max(one.created_at, one.data_ready_at, one.live_at)),
        "data_ready_at": iso(one.data_ready_at) if one.data_ready_at else None,
        "live_at": iso(one.live_at) if one.live_at else None,
        **msgspec.to_builtins(one.changed),
        "feedback": msgspec.to_builtins(one.feedback),
        "errors": msgspec.to_builtins(one.errors),
        "rows_total": total,
        "rows_done": done if one.status == "in_progress" else total,
        "pause_ms": one.pause_ms,
    }
