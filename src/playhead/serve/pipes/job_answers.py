"""What became of jobs: `/v0/jobs`, one of them, cancelling and trying again."""

import asyncio
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playhead.access import Grant
from playhead.access.scopes import ADMIN, APPEND, CREATE
from playhead.errors import Forbidden, InvalidRequest, NotFound
from playhead.jobs.job import Job
from playhead.jobs.projects import node_of
from playhead.jobs.runner import Runner
from playhead.project.resources import NodeKind
from playhead.serve.pipes.desk import PipeDesk, document
from playhead.serve.pipes.job_document import job_document
from playhead.serve.pipes.reading import Reading

PATH: Final = "/v0/jobs"
LISTED_MAX: Final = 100
_STATES: Final = frozenset({"", "waiting", "working", "done", "error", "cancelled"})


class JobAnswers:
    """Answers what is asked of jobs."""

    def __init__(self, desk: PipeDesk, runner: Runner) -> None:
        self._desk = desk
        self._runner = runner

    def routes(self) -> list[Route]:
        """Return the addresses."""
        one = PATH + "/{id}"
        return [
            Route(PATH, self.jobs, methods=["GET", "OPTIONS"]),
            Route(one, self.job, methods=["GET", "OPTIONS"]),
            Route(one + "/cancel", self.cancel, methods=["POST", "OPTIONS"]),
            Route(one + "/retry", self.retry, methods=["POST", "OPTIONS"]),
        ]

    async def jobs(self, request: Request) -> Response:
        """`GET /v0/jobs`."""
        return await self._desk.answer(request, self._jobs)

    async def job(self, request: Request) -> Response:
        """`GET /v0/jobs/{id}`."""
        return await self._desk.answer(request, self._job)

    async def cancel(self, request: Request) -> Response:
        """`POST /v0/jobs/{id}/cancel`."""
        return await self._desk.answer(request, self._cancel)

    async def retry(self, request: Request) -> Response:
        """`POST /v0/jobs/{id}/retry`."""
        return await self._desk.answer(request, self._retry)

    async def said(self, request: Request, job: Job) -> dict[str, Any]:
        """Return a job as its clients read it."""
        counts = await asyncio.to_thread(self._runner.desk.ledger.job_counts, job.id)
        return job_document(job, counts, str(request.base_url))

    async def _jobs(self, request: Request, reading: Reading) -> Response:
        given = request.query_params
        state, kind = given.get("status", ""), given.get("kind", "")
        if state not in _STATES:
            states = ", ".join(sorted(_STATES - {""}))
            raise InvalidRequest(f"The parameter 'status' takes one of {states}.")
        workspace = reading.grant.workspace
        found = await self._runner.newest(workspace=workspace, state=state, kind=kind)
        mine = [job for job in found if _may(reading.grant, job)][:LISTED_MAX]
        return document({"jobs": [await self.said(request, job) for job in mine]})

    async def _job(self, request: Request, reading: Reading) -> Response:
        return document(await self.said(request, await self._mine(request, reading)))

    async def _cancel(self, request: Request, reading: Reading) -> Response:
        job = await self._mine(request, reading)
        return document(await self.said(request, await self._runner.cancel(job.id)))

    async def _retry(self, request: Request, reading: Reading) -> Response:
        job = await self._mine(request, reading)
        await self._check_still(request, reading.grant, job)
        return document(await self.said(request, await self._runner.retry(job.id)))

    async def _check_still(self, request: Request, grant: Grant, job: Job) -> None:
        """Return unless scopes were taken from the token since; raises Forbidden, as asking anew would."""
        if grant.may(ADMIN):
            return
        lacks = next((one for one in await self._needed(request, job) if not grant.may(*one)), None)
        if lacks is not None:
            raise Forbidden(
                f"This token may not run such a job ({job.kind}) any more.",
                hint=f"Use one with the scope {':'.join(part for part in lacks if part)}.",
            )

    async def _needed(self, request: Request, job: Job) -> list[tuple[str, str]]:
        """Return the scopes that asking for such a job takes, each with its resource."""
        if job.kind in {"truncate", "delete"}:
            return [(CREATE, "")]
        if job.kind == "import":
            appends = job.detail.get("mode") == "append"
            return [(APPEND, job.name) if appends else (CREATE, "")]
        if job.kind not in {"copy", "sink", "populate"}:
            return [(ADMIN, "")]
        kind: NodeKind = "materialized" if job.kind == "populate" else job.kind  # type: ignore[assignment]
        named = str(job.detail.get("node", ""))
        _, node = node_of(await self._desk.live(request), job.name, kind, named)
        return [("PIPES:CREATE", ""), *([(APPEND, node.target)] if node.target else [])]

    async def _mine(self, request: Request, reading: Reading) -> Job:
        """Return the job that a request names.

        Raises:
            NotFound: There is none in this workspace.
            Forbidden: It is another token's.
        """
        job = await self._runner.find(request.path_params["id"])
        if job.workspace != reading.grant.workspace:
            raise NotFound(f"There is no job '{job.id}'.", hint=f"GET {PATH} lists them.")
        if not _may(reading.grant, job):
            raise Forbidden(
                "This job is another token's.",
                hint="Use the token it was made with, or an admin's.",
            )
        return job


def _may(grant: Grant, job: Job) -> bool:
    return grant.may(ADMIN) or (bool(job.token) and job.token == grant.id)
