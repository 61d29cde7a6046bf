"""What runs when it is told to, or by a schedule: copies, sinks, populating."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playhead.errors import Conflict, Forbidden, InvalidRequest, NotFound
from playhead.jobs.copies import Asked, copy_job, mode_of
from playhead.jobs.job import Job
from playhead.jobs.populate import Asked as Populating
from playhead.jobs.populate import populate_job
from playhead.jobs.projects import node_of
from playhead.jobs.runner import Runner
from playhead.jobs.schedules import Schedules
from playhead.jobs.sinks import sink_job
from playhead.project.resources import Node, Pipe
from playhead.query.pipes.row_filter import check_filters
from playhead.serve.pipes.desk import PipeDesk, document
from playhead.serve.pipes.job_answers import JobAnswers
from playhead.serve.pipes.reading import Reading
from playhead.serve.pipes.request import asked_of
from playhead.serve.services import Services
from playhead.template.rendering import Given

_CREATE: Final = "PIPES:CREATE"
_APPEND: Final = "DATASOURCES:APPEND"
_MODE: Final = "_mode"
_YES: Final = {"true": True, "false": False, "": False}
_POPULATION: Final = frozenset({"populate_condition", "truncate", "from", "cli_version"})
"""What a request for populating may say; the last two are what clients add of themselves."""


class RunAnswers:
    """Answers those who may run what writes."""

    def __init__(
        self,
        desk: PipeDesk,
        services: Services,
        jobs: JobAnswers,
        runner: Runner,
        schedules: Schedules,
    ) -> None:
        self._desk = desk
        self._services = services
        self._jobs = jobs
        self._runner = runner
        self._schedules = schedules

    def routes(self) -> list[Route]:
        """Return the addresses; they come before those of endpoints."""
        methods = ["POST", "OPTIONS"]
        paths = [
            ("/v0/pipes/{name}/copy", self.copy),
            ("/v0/pipes/{name}/sink", self.sink),
            ("/v0/pipes/{name}/nodes/{node}/population", self.populate),
            *(
                (f"/v0/pipes/{{name}}/{kind}/{verb}", self.switch)
                for kind in ("copy", "sink")
                for verb in ("pause", "resume")
            ),
            ("/v0/pipes/{name}/copy/cancel", self.cancel),
            ("/v0/pipes/{name}/sink/cancel", self.cancel),
        ]
        return [Route(path, answer, methods=methods) for path, answer in paths]

    async def copy(self, request: Request) -> Response:
        """`POST /v0/pipes/{name}/copy`."""
        return await self._desk.answer(request, self._copy)

    async def sink(self, request: Request) -> Response:
        """`POST /v0/pipes/{name}/sink`."""
        return await self._desk.answer(request, self._sink)

    async def populate(self, request: Request) -> Response:
        """`POST /v0/pipes/{name}/nodes/{node}/population`."""
        return await self._desk.answer(request, self._populate)

    async def switch(self, request: Request) -> Response:
        """`POST /v0/pipes/{name}/copy/pause`, `…/resume`, and the same of a sink."""
        return await self._desk.answer(request, self._switch)

    async def cancel(self, request: Request) -> Response:
        """`POST /v0/pipes/{name}/copy/cancel`, and the same of a sink."""
        return await self._desk.answer(request, self._cancel)

    async def _copy(self, request: Request, reading: Reading) -> Response:
        live = await self._desk.live(request)
        pipe, node = node_of(live, request.path_params["name"], "copy")
        _admit(reading, pipe, node)
        params = await self._params(request)
        mode = params.pop(_MODE, "")
        if not isinstance(mode, str):
            raise InvalidRequest(f"The parameter '{_MODE}' is given once.")
        asked = Asked(pipe=pipe.name, node=node.name, params=params, mode=mode)
        target = live.workspace.project.aliases.get(node.target, node.target)
        workspace = live.workspace.id
        job = copy_job(asked, target=target, workspace=workspace, mode=mode_of(node))
        return await self._submitted(request, reading, job)

    async def _sink(self, request: Request, reading: Reading) -> Response:
        live = await self._desk.live(request)
        pipe, node = node_of(live, request.path_params["name"], "sink")
        _admit(reading, pipe, node)
        params = await self._params(request)
        asked = Asked(pipe=pipe.name, node=node.name, params=params)
        return await self._submitted(request, reading, sink_job(asked, workspace=live.workspace.id))

    async def _populate(self, request: Request, reading: Reading) -> Response:
        live = await self._desk.live(request)
        name, node_name = request.path_params["name"], request.path_params["node"]
        pipe, node = node_of(live, name, "materialized", node_name)
        _admit(reading, pipe, node)
        params = await self._params(request)
        wrong = next((one for one in params if one not in _POPULATION), None)
        condition, truncate = params.get("populate_condition", ""), params.get("truncate", "")
        if wrong or not isinstance(condition, str) or truncate not in _YES:
            raise InvalidRequest(
                f"'{(wrong or 'truncate')[:80]}' cannot be said of populating.",
                hint="populate_condition is SQL over the source's rows; truncate is true or false.",
            )
        if condition:
            await check_filters(self._services.store, [condition])
        asked = Populating(
            pipe=pipe.name, node=node.name, condition=condition, truncate=_YES[str(truncate)]
        )
        target = live.workspace.project.aliases.get(node.target, node.target)
        job = populate_job(asked, target=target, workspace=live.workspace.id)
        return await self._submitted(request, reading, job)

    async def _switch(self, request: Request, reading: Reading) -> Response:
        live = await self._desk.live(request)
        kind, verb = request.url.path.rsplit("/", 2)[1:]
        pipe, node = node_of(
            live, request.path_params["name"], "copy" if kind == "copy" else "sink"
        )
        _admit(reading, pipe, node)
        folder = self._desk.home(request).folder
        project = live.workspace.project
        await self._schedules.pause(folder, project, pipe.name, paused=verb == "pause")
        return document({"ok": True, "pipe": pipe.name, "paused": verb == "pause"})

    async def _cancel(self, request: Request, reading: Reading) -> Response:
        live = await self._desk.live(request)
        kind = request.url.path.rsplit("/", 2)[1]
        pipe, node = node_of(
            live, request.path_params["name"], "copy" if kind == "copy" else "sink"
        )
        _admit(reading, pipe, node)
        found = await self._runner.newest(workspace=live.workspace.id, kind=kind)
        job = next((one for one in found if one.name == pipe.name and not one.ended), None)
        if job is None:
            raise NotFound(f"No {kind} of the pipe '{pipe.name}' waits or runs.")
        return document(await self._jobs.said(request, await self._runner.cancel(job.id)))

    async def _params(self, request: Request) -> dict[str, Given]:
        """Return what a request says to the template, without what is said to the server."""
        asked = await asked_of(request, self._desk.config)
        return {name: value for name, value in asked.params.items() if name != "cli_version"}

    async def _submitted(self, request: Request, reading: Reading, job: Job) -> Response:
        for state in ("waiting", "working"):
            running = await self._runner.newest(workspace=job.workspace, kind=job.kind, state=state)
            if any(one.name == job.name and one.detail == job.detail for one in running):
                raise Conflict(
                    f"The same {job.kind} of '{job.name}' waits or runs already.",
                    hint="Wait for it: GET /v0/jobs lists it.",
                )
        made = await self._runner.submit(job, reading.grant)
        return document(await self._jobs.said(request, made))


def _admit(reading: Reading, pipe: Pipe, node: Node) -> None:
    grant = reading.grant
    may = grant.may(_CREATE) and (not node.target or grant.may(_APPEND, node.target))
    if not may:
        raise Forbidden(
            f"This token may not run '{pipe.name}'.",
            hint=f"Use an admin token, or one with {_CREATE}"
            + (f" and {_APPEND}:{node.target}." if node.target else "."),
        )
