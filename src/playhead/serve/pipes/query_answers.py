"""Endpoints and SQL: `/v0/pipes/{name}.{form}` and `/v0/sql`."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playhead.errors import Forbidden, InvalidRequest
from playhead.query.pipes.formats import engine_format, output_settings
from playhead.query.pipes.workspace import NAME_CHARS_SHOWN
from playhead.serve.pipes.desk import PipeDesk, Question, document, readable_pipe, result
from playhead.serve.pipes.reading import Reading
from playhead.serve.pipes.recording import QUERY_API, recorded, seen_of
from playhead.serve.pipes.request import Asked, asked_of
from playhead.serve.services import Services
from playhead.store.result import rows_of
from playhead.template.rendering import Inputs

METHODS = ["GET", "POST", "OPTIONS"]


class QueryAnswers:
    """Answers what is asked of the data."""

    def __init__(self, desk: PipeDesk, services: Services) -> None:
        self._desk = desk
        self._recorder = services.recorder
        self._clock = services.clock

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route("/v0/sql", self.sql, methods=METHODS),
            Route("/v0/pipes/{name}.{form}", self.endpoint, methods=METHODS),
        ]

    async def endpoint(self, request: Request) -> Response:
        """`GET` and `POST /v0/pipes/{name}.{form}`."""
        name = request.path_params["name"][:NAME_CHARS_SHOWN]
        return await recorded(
            self._recorder, self._clock, request, name,
            lambda: self._desk.answer(request, self._endpoint),
        )  # fmt: skip

    async def sql(self, request: Request) -> Response:
        """`GET` and `POST /v0/sql`."""
        return await recorded(
            self._recorder, self._clock, request, QUERY_API,
            lambda: self._desk.answer(request, self._sql),
        )  # fmt: skip

    async def _endpoint(self, request: Request, reading: Reading) -> Response:
        format_name = engine_format(request.path_params["form"])
        live = await self._desk.live(request)
        pipe = readable_pipe(live, request.path_params["name"], reading)
        asked = await asked_of(request, self._desk.config)
        seen = seen_of(request)
        seen.pipe, seen.parameters = pipe.name, asked.params
        prepared = await live.resolver.endpoint(
            pipe.name, Inputs(params=asked.params), q=asked.q, may=reading, terms=reading.terms()
        )
        question = Question(request, reading, live, prepared, output_settings(asked.output))
        return await self._answer(question, asked, prepared.format or format_name)

    async def _sql(self, request: Request, reading: Reading) -> Response:
        if not reading.grant.reads():  # the key in a player's page must not keep the store busy
            raise Forbidden(
                "This token may only send; it reads nothing.",
                hint="Use a token with a scope such as DATASOURCES:READ or PIPES:READ.",
            )
        asked = await asked_of(request, self._desk.config, text_is_query=True)
        seen_of(request).parameters = {"q": asked.q, **asked.params}
        if asked.q is None or not asked.q.strip():
            raise InvalidRequest(
                "There is no query.", hint="Send it as 'q': /v0/sql?q=SELECT count() FROM views"
            )
        live = await self._desk.live(request)
        prepared = await live.resolver.sql(
            asked.q,
            Inputs(params=asked.params),
            pipeline=asked.pipeline,
            may=reading,
            terms=reading.terms(),
        )
        question = Question(request, reading, live, prepared, output_settings(asked.output))
        return await self._answer(question, asked, prepared.format or "JSON")

    async def _answer(self, question: Question, asked: Asked, format_name: str) -> Response:
        if asked.explain:
            return await self._explain(question)
        answered = await self._desk.run(question, format_name)
        seen_of(question.request).take(answered, format_name)
        return result(answered, format_name)

    async def _explain(self, question: Question) -> Response:
        """Return the query that would run, and the engine's plan of it."""
        if not question.reading.all():
            raise Forbidden(
                "This token may not see how queries are made.",
                hint="Leave explain out, or use a token that may read the whole project.",
            )
        sql = question.prepared.sql
        plan = msgspec.structs.replace(question.prepared, sql=f"EXPLAIN {sql}")
        asked = msgspec.structs.replace(question, prepared=plan)
        lines = rows_of((await self._desk.run(asked, "JSONCompact")).body).rows
        explained = "\n".join(str(line[0]) for line in lines)
        return document({"debug_query": sql, "query_explain": explained})
