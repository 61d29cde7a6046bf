"""Rows that go: `/v0/datasources/{name}/truncate`, `/delete`, and what deleting a data source says."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playhead.access.scopes import CREATE
from playhead.errors import Conflict, Forbidden, InvalidRequest, NotFound
from playhead.jobs.deleting import Asked, removal_job, require_unstaged
from playhead.jobs.runner import Runner
from playhead.query.pipes.workspace import NAME_CHARS_SHOWN
from playhead.serve.pipes.desk import PipeDesk, document
from playhead.serve.pipes.job_answers import JobAnswers
from playhead.serve.pipes.reading import Reading
from playhead.serve.pipes.removal import checked_condition
from playhead.serve.pipes.request import asked_of

PATHS: Final = ("/v0/datasources/{name}", "/v1/datasources/{name}")
_YES: Final = {"true": True, "false": False, "": False}


class RemovalAnswers:
    """Answers who removes rows."""

    def __init__(self, desk: PipeDesk, runner: Runner, jobs: JobAnswers) -> None:
        self._desk = desk
        self._runner = runner
        self._jobs = jobs

    def routes(self) -> list[Route]:
        """Return the addresses."""
        methods = ["POST", "OPTIONS"]
        return [
            *(Route(path + "/truncate", self.truncate, methods=methods) for path in PATHS),
            *(Route(path + "/delete", self.delete, methods=methods) for path in PATHS),
            Route(PATHS[0], self.drop, methods=["DELETE"]),
        ]

    async def truncate(self, request: Request) -> Response:
        """`POST /v0/datasources/{name}/truncate`."""
        return await self._desk.answer(request, self._truncate)

    async def delete(self, request: Request) -> Response:
        """`POST /v0/datasources/{name}/delete`."""
        return await self._desk.answer(request, self._delete)

    async def drop(self, request: Request) -> Response:
        """`DELETE /v0/datasources/{name}`."""
        return await self._desk.answer(request, self._drop)

    async def _truncate(self, request: Request, reading: Reading) -> Response:
        name, _ = await self._writable(request, reading, "truncate")
        wanted = removal_job("truncate", name, Asked(), workspace=reading.grant.workspace)
        job = await self._runner.submit(wanted, reading.grant)
        return document(await self._jobs.said(request, job))

    async def _delete(self, request: Request, reading: Reading) -> Response:
        name, database = await self._writable(request, reading, "delete rows of")
        asked = (await asked_of(request, self._desk.config)).params
        given = {key: value for key, value in asked.items() if isinstance(value, str)}
        if not given.get("delete_condition", "").strip():
            raise InvalidRequest(
                "The parameter 'delete_condition' says which rows; it is missing.",
                hint="To remove all of them, truncate the data source.",
            )
        dry_run = _YES.get(given.get("dry_run", "").lower())
        if dry_run is None:
            raise InvalidRequest("The parameter 'dry_run' takes true or false.")
        store = self._runner.desk.store
        condition, rows = await checked_condition(store, database, name, given["delete_condition"])
        if dry_run:
            return document(
                {"rows_to_be_deleted": rows, "dry_run": True, "delete_condition": condition}
            )
        said = Asked(delete_condition=condition, rows_to_be_deleted=rows)
        wanted = removal_job("delete", name, said, workspace=reading.grant.workspace)
        job = await self._runner.submit(wanted, reading.grant)
        return document({**await self._jobs.said(request, job), "delete_id": job.id})

    async def _drop(self, request: Request, reading: Reading) -> Response:
        name, _ = await self._writable(request, reading, "delete")
        raise Conflict(
            f"The data source '{name}' is made by a file of the project; nothing was deleted.",
            hint="Take its file away and deploy; 'playhead deploy' says what that removes.",
        )

    async def _writable(self, request: Request, reading: Reading, does: str) -> tuple[str, str]:
        """Return a data source that may be changed, and the database of its table.

        Raises:
            NotFound: There is none.
            Forbidden: Not by this token.
            Conflict: A deployment is staged.
        """
        workspace = (await self._desk.live(request)).workspace
        name = request.path_params["name"]
        found = workspace.project.aliases.get(name, name)
        if not reading.grant.may(CREATE):
            raise Forbidden(
                f"This token may not {does} '{name[:NAME_CHARS_SHOWN]}'.",
                hint=f"Use an admin token, or one with the scope {CREATE}.",
            )
        if found not in workspace.project.datasources:
            raise NotFound(
                f"There is no data source '{name[:NAME_CHARS_SHOWN]}'.",
                hint="GET /v0/datasources lists them.",
            )
        require_unstaged(self._desk.home(request).folder)
        return found, workspace.database_of(found)
