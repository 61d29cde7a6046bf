"""Files: `POST /v0/datasources`, `/v1/datasources/{name}/append` and `/replace`.

The answer comes when the file is on disk and the job that loads it is.
"""

import asyncio
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playhead.access.scopes import APPEND, CREATE
from playhead.errors import Conflict, Forbidden, InvalidBody, InvalidRequest, NotFound
from playhead.jobs.deleting import require_unstaged
from playhead.jobs.fetching import checked_url
from playhead.jobs.imports import FORMS, NAME, Asked
from playhead.jobs.job import Job
from playhead.jobs.runner import ANY, Runner
from playhead.query.pipes.workspace import NAME_CHARS_SHOWN
from playhead.serve.pipes.desk import DEPLOYMENT, PipeDesk, document
from playhead.serve.pipes.job_answers import JobAnswers
from playhead.serve.pipes.reading import Reading
from playhead.serve.pipes.removal import checked_condition
from playhead.serve.pipes.upload import Upload, Uploads

PATH: Final = "/v0/datasources"
NEWER: Final = "/v1/datasources/{name}"
_BUILT: Final = "Write a .datasource file and build or deploy the project."
_FORM_OF: Final = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson",
    ".json": "ndjson", ".parquet": "parquet",
    "text/csv": "csv", "application/csv": "csv", "text/tab-separated-values": "csv",
    "application/x-ndjson": "ndjson", "application/ndjson": "ndjson",
    "application/vnd.apache.parquet": "parquet",
}  # fmt: skip
_LINES: Final = frozenset({"", "\n", "\r\n", "\\n", "\\r\\n"})
_YES: Final = {"true": True, "false": False, "": False}


class ImportAnswers:
    """Answers who sends files."""

    def __init__(self, desk: PipeDesk, runner: Runner, uploads: Uploads, jobs: JobAnswers) -> None:
        self._desk = desk
        self._runner = runner
        self._uploads = uploads
        self._jobs = jobs

    def routes(self) -> list[Route]:
        """Return the addresses."""
        methods = ["POST", "OPTIONS"]
        return [
            Route(PATH, self.load, methods=methods),
            Route(NEWER + "/append", self.append, methods=methods),
            Route(NEWER + "/replace", self.replace, methods=methods),
        ]

    async def load(self, request: Request) -> Response:
        """`POST /v0/datasources?name=&mode=`."""
        return await self._desk.answer(request, self._load)

    async def append(self, request: Request) -> Response:
        """`POST /v1/datasources/{name}/append`."""
        return await self._desk.answer(request, self._append)

    async def replace(self, request: Request) -> Response:
        """`POST /v1/datasources/{name}/replace`."""
        return await self._desk.answer(request, self._replace)

    async def _load(self, request: Request, reading: Reading) -> Response:
        given = request.query_params
        mode, name = given.get("mode", ""), given.get("name", "")
        if "mode" in given and "name" in given:
            await self._admit(request, reading, name, mode)
        elif not reading.sends_files():
            # The form may say which one: a token that can send to none has its body not read at all.
            raise Forbidden(
                "This token may not import files.", hint=f"Use one with the scope {APPEND}:NAME."
            )
        job = self._runner.new_id()
        upload = await self._uploads.take(request, job)
        try:
            params = {**upload.fields, **given}
            name, mode = params.get("name", ""), params.get("mode", "") or "create"
            found = await self._admit(request, reading, name, mode)
            return await self._submit(request, reading, (job, found, mode), upload, params)
        except BaseException:
            await asyncio.to_thread(self._uploads.spool.drop, job)
            raise

    async def _append(self, request: Request, reading: Reading) -> Response:
        return await self._newer(request, reading, "append")

    async def _replace(self, request: Request, reading: Reading) -> Response:
        return await self._newer(request, reading, "replace")

    async def _newer(self, request: Request, reading: Reading, mode: str) -> Response:
        name = await self._admit(request, reading, request.path_params["name"], mode)
        job = self._runner.new_id()
        upload = await self._uploads.take(request, job)
        try:
            params = {**upload.fields, **request.query_params}
            return await self._submit(request, reading, (job, name, mode), upload, params)
        except BaseException:
            await asyncio.to_thread(self._uploads.spool.drop, job)
            raise

    async def _admit(self, request: Request, reading: Reading, name: str, mode: str) -> str:
        """Return the data source that may be written so.

        Raises:
            InvalidRequest: No name, or no mode there is.
            NotFound, Forbidden, Conflict: It cannot be.
        """
        if not name:
            raise InvalidRequest("The parameter 'name' says which data source; it is missing.")
        if mode not in {"", "create", "append", "replace"}:
            raise InvalidRequest(f"The mode is append or replace, not '{mode[:40]}'.")
        if request.query_params.get(DEPLOYMENT, "") not in {"", "live"}:
            raise InvalidRequest(
                "A file is imported into what is live, not into a staged deployment.",
                hint="Send rows to /v0/events with __tb__deployment=staging.",
            )
        project = (await self._desk.live(request)).workspace.project
        found = project.aliases.get(name, name)
        scope = APPEND if mode == "append" else CREATE
        if not reading.grant.may(scope, found if scope == APPEND else ""):
            raise Forbidden(
                f"This token may not {mode or 'create'} '{name[:NAME_CHARS_SHOWN]}'.",
                hint=f"Use one with the scope {scope}{':' + found if scope == APPEND else ''}.",
            )
        if found not in project.datasources:
            if mode in {"", "create"}:
                raise Conflict("Data sources are made by the project's files.", hint=_BUILT)
            shown = name[:NAME_CHARS_SHOWN]
            raise NotFound(f"There is no data source '{shown}'.", hint=f"GET {PATH} lists them.")
        if mode == "create":
            raise Conflict(
                f"The data source '{found}' is there already; nothing was imported.",
                hint="Say mode=append or mode=replace.",
            )
        if mode == "replace":
            require_unstaged(self._desk.home(request).folder)
        return found

    async def _submit(
        self,
        request: Request,
        reading: Reading,
        what: tuple[str, str, str],
        upload: Upload,
        params: Mapping[str, str],
    ) -> Response:
        """Make the job and answer; `what` is its id, data source and mode."""
        id_, name, mode = what
        condition = params.get("replace_condition", "").strip()
        if condition:
            if mode != "replace":
                raise InvalidRequest("replace_condition goes with mode=replace.")
            live = await self._desk.live(request)
            condition, _ = await checked_condition(
                self._runner.desk.store, live.workspace.database_of(name), name, condition
            )
        asked = _asked(request, mode, upload, params, condition)
        if asked.url:
            checked_url(asked.url, self._desk.config.jobs.allowed_import_hosts)
        job = Job(
            id=id_,
            kind=NAME,
            name=name,
            # A replacement switches what views fill from it, too.
            writes=ANY if mode == "replace" else name,
            workspace=reading.grant.workspace,
            detail=msgspec.to_builtins(asked),
            total=max(1, upload.end - upload.start),
        )
        made = await self._runner.submit(job, reading.grant)
        said = await self._jobs.said(request, made)
        return document({**said, "import_id": made.id, "job": said})


def _asked(
    request: Request, mode: str, upload: Upload, params: Mapping[str, str], condition: str
) -> Asked:
    url = params.get("url", "").strip()
    if not url and upload.end <= upload.start:
        raise InvalidBody(
            "There is nothing to import: no body, no file in it, and no url.",
            hint="Send the file as the body, as a field of a form, or name a url.",
        )
    if params.get("dialect_new_line", "") not in _LINES:
        raise InvalidRequest("dialect_new_line is \\n or \\r\\n.")
    skip = _YES.get(params.get("skip_incompatible_partition_key", "").lower())
    if skip is None:
        raise InvalidRequest("skip_incompatible_partition_key takes true or false.")
    return Asked(
        mode=mode,
        form=form_of(request, upload, params, url),
        start=upload.start,
        end=upload.end,
        delimiter=_sign(params, "dialect_delimiter"),
        escape=_sign(params, "dialect_escapechar"),
        url=url,
        condition=condition,
        skip_incompatible=skip,
    )


def form_of(request: Request, upload: Upload, params: Mapping[str, str], url: str) -> str:
    """Return the format: as it is said, else as the file is called, else CSV; raises InvalidRequest."""
    said = params.get("format", "").lower()
    if said in FORMS:
        return said
    if said:
        raise InvalidRequest(f"The format is csv, ndjson or parquet, not '{said[:40]}'.")
    path = PurePosixPath(upload.filename or url.partition("?")[0])
    suffixes = [one.lower() for one in path.suffixes if one.lower() not in {".gz", ".zst"}]
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    for hint in (*suffixes[-1:], media, "." + upload.field):
        if hint in _FORM_OF:
            return _FORM_OF[hint]
    return "csv"


def _sign(params: Mapping[str, str], name: str) -> str:
    """Return a character of the dialect; raises InvalidRequest."""
    sign: Any = params.get(name, "")
    sign = {"\\t": "\t"}.get(sign, sign)
    if len(sign) > 1 or sign in {'"', "\n", "\r", "\x00"} or not sign.isascii():
        raise InvalidRequest(f"'{name}' is one character, and neither a quote nor a line break.")
    return str(sign)
