"""Publishing over HTTP: `POST /v0/pipes` makes an endpoint, `DELETE /v0/pipes/{name}` takes it away."""

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from playhead.build.published import PipeText, pipe_text
from playhead.build.publishing import Publishing
from playhead.errors import Forbidden, InvalidRequest
from playhead.query.pipes.live import Live, bounds_of
from playhead.query.pipes.parameters import Parameters
from playhead.query.pipes.texts import Templates
from playhead.query.pipes.workspace import Namespace
from playhead.serve.pipes.described import described
from playhead.serve.pipes.desk import PipeDesk, document
from playhead.serve.pipes.reading import Reading
from playhead.serve.pipes.request import asked_of
from playhead.serve.services import Services

_CREATE: Final = "PIPES:CREATE"
_DROP: Final = "PIPES:DROP"
_KNOWN: Final = frozenset({"name", "sql", "description", "pipe", "replace", "check"})
_YES: Final = {"true": True, "false": False, "": False}
_HINT: Final = "Send name and sql, or name and the text of a .pipe file as 'pipe' or as the body."


class PublishAnswers:
    """Answers those who may change what the project serves."""

    def __init__(self, desk: PipeDesk, services: Services) -> None:
        self._desk = desk
        self._services = services

    async def publish(self, request: Request, reading: Reading) -> Response:
        """`POST /v0/pipes`."""
        if not reading.grant.may(_CREATE):
            raise Forbidden(
                "This token may not publish endpoints.",
                hint=f"Use an admin token, or one with the scope {_CREATE}.",
            )
        given = await self._given(request)
        name, check = given.get("name", ""), _switch(given, "check")
        project, warnings = await self._publishing(request).publish(
            name, _text_of(name, given), replace=_switch(given, "replace"), check=check
        )
        live = await self._desk.home(request).project.newest()
        workspace = msgspec.structs.replace(live.workspace, project=project)
        live = msgspec.structs.replace(live, workspace=workspace)
        said = described(live, self._parameters(live), project.pipes[name], whole=reading.all())
        warned = [one.message for one in warnings]
        return document({**said, "published": not check, "warnings": warned})

    async def remove(self, request: Request, reading: Reading) -> Response:
        """`DELETE /v0/pipes/{name}`."""
        name = request.path_params["name"]
        if not reading.grant.may(_DROP, name):
            raise Forbidden(
                "This token may not take endpoints away.",
                hint=f"Use an admin token, or one with the scope {_DROP}.",
            )
        await self._publishing(request).remove(name)
        await self._desk.home(request).project.newest()
        return document({"ok": True})

    def _publishing(self, request: Request) -> Publishing:
        one, folder = self._services, self._desk.home(request).folder
        return Publishing(one.store, one.config, one.clock, folder)

    def _parameters(self, live: Live) -> Parameters:
        namespace = Namespace(live.workspace)
        return Parameters(namespace, Templates(namespace, bounds_of(self._desk.config.pipes)))

    async def _given(self, request: Request) -> dict[str, str]:
        """Return what a request says; a text that is neither form nor JSON is the file.

        Raises:
            InvalidRequest: It says what is not known, or something twice.
        """
        asked = await asked_of(request, self._desk.config, text_is_query=True)
        given = {name: value for name, value in asked.params.items() if isinstance(value, str)}
        if len(given) < len(asked.params) or not given.keys() <= _KNOWN:
            wrong = next(one for one in asked.params if one not in given or one not in _KNOWN)
            raise InvalidRequest(f"'{wrong[:80]}' is not known here, or given twice.", hint=_HINT)
        if asked.q is not None:
            given.setdefault("pipe", asked.q)
        return given


def _text_of(name: str, given: dict[str, str]) -> PipeText:
    sql, file = given.get("sql", "").strip(), given.get("pipe", "").strip()
    if bool(sql) == bool(file):
        raise InvalidRequest("Either 'sql' or 'pipe' says what the endpoint is.", hint=_HINT)
    if sql:
        return pipe_text(name, sql, given.get("description", ""))
    return PipeText(given["pipe"])


def _switch(given: dict[str, str], name: str) -> bool:
    found = _YES.get(given.get(name, ""))
    if found is None:
        raise InvalidRequest(f"The parameter '{name}' takes true or false.")
    return found
