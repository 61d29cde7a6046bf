"""`POST /v1/build`: a whole project in one body becomes what its workspace serves."""

import asyncio
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playhead.build.building import build
from playhead.build.parts import project_files
from playhead.build.target import BuildResult, Change, Target, target_of
from playhead.build.tokens import ensure_tokens
from playhead.errors import DataDirBusy, Forbidden, ProjectInvalid, Unavailable
from playhead.jobs.deployments import KIND as DEPLOYMENT
from playhead.jobs.runner import ANY
from playhead.project.folder import read_texts
from playhead.project.problem import Problem
from playhead.project.resources import Project
from playhead.project.variables import read_variables
from playhead.serve.desk import body_of
from playhead.serve.pipes.desk import PipeDesk, document
from playhead.serve.pipes.reading import Reading
from playhead.serve.services import Services
from playhead.serve.workspaces import Home

PATH: Final = "/v1/build"
WAIT_S: Final = 10.0
"""How long to wait for another build that is under way, or for jobs that replace rows."""
LOOK_EVERY_S: Final = 0.1
BODY_TIMEOUT_S: Final = 60.0
_KINDS: Final = {"data source": "datasource", "pipe": "pipe"}
_DEEDS: Final = {
    "created": "new",
    "changed": "changed",
    "recreated": "changed",
    "removed": "deleted",
}


class BuildAnswers:
    """Builds what admins post."""

    def __init__(self, desk: PipeDesk, services: Services) -> None:
        self._desk = desk
        self._services = services

    def routes(self) -> list[Route]:
        """Return the address."""
        return [Route(PATH, self.build, methods=["POST"])]

    async def build(self, request: Request) -> Response:
        """`POST /v1/build`."""
        return await self._desk.answer(request, self._build)

    async def _build(self, request: Request, reading: Reading) -> Response:
        home = self._desk.home(request)
        project = await posted_project(request, reading, self._services, home)
        target = await self._target(home)
        clock = self._services.clock
        await self._wait_for_jobs(home)
        try:
            result = await build(project, target, clock, wait_s=WAIT_S)
        except DataDirBusy:
            raise Unavailable(
                "Another build of the project is under way.", hint="Try again in a few seconds."
            ) from None
        if result.problems:
            return document({"result": "failed", "errors": errors_of(result)})
        await asyncio.to_thread(ensure_tokens, result.project, home.folder, clock)
        await home.project.newest()
        return document({"result": "success", "build": {"id": "0", **said_of(result)}})

    async def _wait_for_jobs(self, home: Home) -> None:
        """Wait for jobs that make tables like the live ones: they would bring the old columns back.

        Raises:
            Unavailable: One of them goes on.
        """
        runner, clock = self._services.runner, self._services.clock
        until_s = clock.monotonic_s() + WAIT_S
        while runner is not None:
            jobs = await runner.newest(workspace=home.id, state="working")
            # Deployments have a lock of their own, which the build waits for.
            job = next((one for one in jobs if one.writes == ANY and one.kind != DEPLOYMENT), None)
            if job is None:
                return
            if clock.monotonic_s() >= until_s:
                raise Unavailable(
                    f"The job {job.id} replaces rows of '{job.name}'; nothing was built.",
                    hint="Try again when it has ended, or cancel it: GET /v0/jobs lists the jobs.",
                )
            await asyncio.sleep(LOOK_EVERY_S)

    async def _target(self, home: Home) -> Target:
        target = await target_of(self._services.store, self._services.config.pipes)
        return msgspec.structs.replace(target, data_dir=home.folder, database=home.database)


async def posted_project(
    request: Request, reading: Reading, services: Services, home: Home
) -> Project:
    """Return the project in the body of a request, with the variables of its workspace as secrets.

    Raises:
        Forbidden: The token is no admin token.
        InvalidBody: There is no project in the body.
        ProjectInvalid: There is no data file among its files.
        BodyTooLarge: It is longer than `pipes.max_project_bytes`.
    """
    if not reading.grant.is_whole():
        raise Forbidden("Only an admin token changes the project.", hint="Use that of admin.token.")
    most = services.config.pipes.max_project_bytes
    body = await body_of(request, max_bytes=most, timeout_s=BODY_TIMEOUT_S)
    files = await asyncio.to_thread(
        project_files, body, request.headers.get("content-type", "")
    )  # fmt: skip
    variables = await asyncio.to_thread(read_variables, home.folder)
    project = await asyncio.to_thread(read_texts, files, secrets=variables.plain())
    if not (project.datasources or project.pipes or project.problems):
        raise ProjectInvalid("There is no .datasource or .pipe file in the body.")
    return project


def said_of(result: BuildResult) -> dict[str, Any]:
    """Return what a build has done, in the words of its clients."""
    said: dict[str, Any] = {}
    for kind in (*_KINDS.values(), "data_connector"):
        for deed in dict.fromkeys(_DEEDS.values()):
            said[f"{deed}_{kind}_names"] = _names(result.changes, kind, deed)
    feedback = [
        {"resource": one.file, "level": "WARNING", "message": sentence_of(one)}
        for one in result.warnings
    ]
    return {**said, "feedback": feedback, "errors": []}


def errors_of(result: BuildResult) -> list[dict[str, str]]:
    """Return what stands in the way of a build: one a file, with its place."""
    return [{"filename": one.file, "error": sentence_of(one)} for one in result.problems]


def sentence_of(problem: Problem) -> str:
    """Return a problem without its file: `line 3, column 5: …`."""
    place = f"line {problem.line}, column {problem.column}: " if problem.line else ""
    return f"{place}{problem.message} {problem.hint}".strip()


def _names(changes: tuple[Change, ...], kind: str, deed: str) -> list[str]:
    found = [
        one.name for one in changes if _KINDS.get(one.kind) == kind and _DEEDS.get(one.deed) == deed
    ]
    return sorted(found)
