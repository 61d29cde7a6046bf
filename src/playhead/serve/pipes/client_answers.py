"""What clients ask besides: who reads what, which connections there are, SQL in its usual form."""

import re
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playhead.errors import Forbidden, InvalidRequest, QueryFailed
from playhead.project.resources import Pipe
from playhead.query.pipes.fault import sentence_of
from playhead.query.pipes.live import Live
from playhead.query.pipes.workspace import Place
from playhead.serve.admission import secret_of
from playhead.serve.desk import body_of
from playhead.serve.pipes.desk import PipeDesk, document, readable_pipe
from playhead.serve.pipes.reading import Reading
from playhead.serve.services import Services

METHODS: Final = ["GET", "OPTIONS"]
_FORMAT: Final = "SELECT formatQuery({q:String})"
_BODY_TIMEOUT_S: Final = 10.0
_WORD: Final = re.compile(r"\w+")


class ClientAnswers:
    """Answers that no data is read for."""

    def __init__(self, desk: PipeDesk, services: Services) -> None:
        self._desk = desk
        self._store = services.store

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route("/v0/dependencies", self.dependencies, methods=METHODS),
            Route("/v0/connectors", self.connectors, methods=METHODS),
            Route("/examples/query.http", self.address, methods=["GET"]),
            Route("/v0/sql_format", self.sql_format, methods=[*METHODS, "POST"]),
        ]

    async def dependencies(self, request: Request) -> Response:
        """`GET /v0/dependencies`."""
        return await self._desk.answer(request, self._dependencies)

    async def connectors(self, request: Request) -> Response:
        """`GET /v0/connectors`."""
        return await self._desk.answer(request, self._connectors)

    async def sql_format(self, request: Request) -> Response:
        """`GET` and `POST /v0/sql_format`."""
        return await self._desk.answer(request, self._sql_format)

    async def address(self, request: Request) -> Response:
        """`GET /examples/query.http`: the address of an endpoint, with the token that asks."""
        return await self._desk.answer(request, self._address)

    async def _address(self, request: Request, reading: Reading) -> Response:
        live = await self._desk.live(request)
        pipe = readable_pipe(live, request.query_params.get("pipe", ""), reading)
        given = {"token": secret_of(request)}
        if request.query_params.get("q"):
            given["q"] = request.query_params["q"]
        base = str(request.base_url).rstrip("/")
        headers = {"cache-control": "private, no-store"}
        url = f"{base}/v0/pipes/{pipe.name}.json?{urlencode(given)}"
        return Response(url, media_type="text/plain", headers=headers)

    async def _dependencies(self, request: Request, reading: Reading) -> Response:
        _check_all(reading)
        live = await self._desk.live(request)
        wanted = {name for name in request.query_params.get("items", "").split(",") if name}
        project = live.workspace.project
        reads = {name: _reads(live, pipe) for name, pipe in project.pipes.items()}
        said = [
            {
                "datasource": name,
                "pipes": sorted(pipe for pipe, names in reads.items() if name in names),
            }
            for name in sorted(project.datasources)
            if not wanted or name in wanted
        ]
        return document({"dependencies": said})

    async def _connectors(self, request: Request, reading: Reading) -> Response:
        _check_all(reading)
        live = await self._desk.live(request)
        said = [
            {"id": one.name, "name": one.name, "service": one.kind, "settings": {}}
            for one in live.workspace.project.connections.values()
        ]
        return document({"connectors": said})

    async def _sql_format(self, request: Request, reading: Reading) -> Response:
        if not reading.grant.reads():
            raise Forbidden("This token may only send; it reads nothing.")
        most = self._desk.config.pipes.max_query_bytes
        text = request.query_params.get("q", "")
        if request.method == "POST" and not text:
            body = await body_of(request, max_bytes=most, timeout_s=_BODY_TIMEOUT_S)
            text = body.decode("utf-8", "replace")
        if not text.strip() or len(text) > most:
            raise InvalidRequest("Send one query as 'q'.", hint="/v0/sql_format?q=SELECT 1")
        if text.lstrip().startswith("%"):
            return document({"q": text})  # a template is not SQL yet
        # The engine reads the text as a value here, and runs nothing of it.
        try:
            found = await self._store.rows(_FORMAT, {"q": text})
        except QueryFailed as error:
            raise InvalidRequest(sentence_of(error.message)) from None
        return document({"q": str(found.rows[0][0])})


def _reads(live: Live, pipe: Pipe) -> set[str]:
    """Return the names that the nodes of a pipe seem to read."""
    namespace = live.resolver.namespace
    found: set[str] = set()
    for index, node in enumerate(pipe.nodes):
        place = Place(pipe.name, index)
        found |= {
            name
            for name in live.workspace.project.datasources.keys() & set(_WORD.findall(node.sql))
            if namespace.meaning("", name, at=place) is not None
        }
    return found


def _check_all(reading: Reading) -> None:
    if not reading.all():
        raise Forbidden(
            "This token may not see the project's files.",
            hint="Use a token with the scope WORKSPACE:READ_ALL.",
        )
