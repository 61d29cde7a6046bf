"""What there is to ask: the pipes of the project, their files, their OpenAPI document."""

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playhead.errors import Forbidden
from playhead.query.pipes.live import Live
from playhead.query.pipes.parameters import Parameters
from playhead.query.pipes.resolve import Resolver
from playhead.serve.pipes import endpoint_document
from playhead.serve.pipes.described import described
from playhead.serve.pipes.desk import PipeDesk, document, readable_pipe
from playhead.serve.pipes.publish_answers import PublishAnswers
from playhead.serve.pipes.reading import Reading


class Plain(StringConvertor):
    """The name of a pipe: what has a dot is an endpoint's form, which takes no `DELETE`."""

    regex = r"[^/.]+"


register_url_convertor("plain", Plain())


class PipeAnswers:
    """Answers what is asked of the project itself."""

    def __init__(self, desk: PipeDesk, publishing: PublishAnswers) -> None:
        self._desk = desk
        self._publishing = publishing
        self._parameters: tuple[Resolver, Parameters] | None = None

    def routes(self) -> list[Route]:
        """Return the addresses; they come before those of endpoints."""
        methods = ["GET", "OPTIONS"]
        return [
            Route("/v0/pipes", self.pipes, methods=["GET", "POST", "OPTIONS"]),
            Route("/v0/pipes/openapi.json", self.openapi, methods=methods),
            Route("/v0/pipes/{name}.pipe", self.text, methods=methods),
            Route("/v1/pipes/{name}.pipe", self.text, methods=methods),
        ]

    def last_routes(self) -> list[Route]:
        """Return the addresses that come after those of endpoints."""
        return [Route("/v0/pipes/{name:plain}", self.pipe, methods=["GET", "DELETE", "OPTIONS"])]

    async def pipes(self, request: Request) -> Response:
        """`GET` and `POST /v0/pipes`."""
        handler = self._publishing.publish if request.method == "POST" else self._pipes
        return await self._desk.answer(request, handler)

    async def pipe(self, request: Request) -> Response:
        """`GET` and `DELETE /v0/pipes/{name}`."""
        handler = self._publishing.remove if request.method == "DELETE" else self._pipe
        return await self._desk.answer(request, handler)

    async def text(self, request: Request) -> Response:
        """`GET /v0/pipes/{name}.pipe` and `GET /v1/pipes/{name}.pipe`."""
        return await self._desk.answer(request, self._text)

    async def openapi(self, request: Request) -> Response:
        """`GET /v0/pipes/openapi.json`."""
        return await self._desk.answer(request, self._openapi)

    async def _pipes(self, request: Request, reading: Reading) -> Response:
        live = await self._desk.live(request)
        parameters = self._of(live)
        whole = reading.all()
        return document(
            {
                "pipes": [
                    described(live, parameters, pipe, whole=whole)
                    for pipe in live.workspace.project.pipes.values()
                    if whole or reading.pipe(pipe.name)
                ]
            }
        )

    async def _pipe(self, request: Request, reading: Reading) -> Response:
        live = await self._desk.live(request)
        pipe = readable_pipe(live, request.path_params["name"], reading)
        return document(described(live, self._of(live), pipe, whole=reading.all()))

    async def _text(self, request: Request, reading: Reading) -> Response:
        live = await self._desk.live(request)
        pipe = readable_pipe(live, request.path_params["name"], reading)
        if not reading.all():
            raise Forbidden(
                "This token may not see the project's files.",
                hint="Use a token with the scope WORKSPACE:READ_ALL.",
            )
        headers = {"cache-control": "private, no-store"}
        return Response(pipe.text, media_type="text/plain", headers=headers)

    async def _openapi(self, request: Request, reading: Reading) -> Response:
        live = await self._desk.live(request)
        parameters = self._of(live)
        readable = [
            (pipe, parameters.of_pipe(pipe))
            for pipe in live.workspace.project.pipes.values()
            if pipe.endpoint is not None and reading.pipe(pipe.name)
        ]
        base_path = self._desk.config.server.base_path
        return document(endpoint_document.document(readable, base_path=base_path))

    def _of(self, live: Live) -> Parameters:
        kept = self._parameters
        if kept is None or kept[0] is not live.resolver:
            found = Parameters(live.resolver.namespace, live.resolver.templates)
            kept = self._parameters = (live.resolver, found)
        return kept[1]
