"""The tools a token has: each endpoint it may read, what there is, and guarded SQL."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from playhead.access import Grant
from playhead.errors import InvalidRequest, NotFound, PlayheadError, ResultTooLarge
from playhead.project.resources import Pipe
from playhead.query.pipes.formats import engine_format, output_settings
from playhead.query.pipes.live import Live
from playhead.query.pipes.parameters import Parameters
from playhead.query.pipes.resolve import Prepared
from playhead.query.pipes.workspace import NAME_CHARS_SHOWN, PLAYHEAD
from playhead.serve.pipes.desk import PipeDesk, Question, readable_pipe
from playhead.serve.pipes.endpoint_document import schema_of
from playhead.serve.pipes.reading import Reading
from playhead.serve.pipes.recording import QUERY_API, recorded, seen_of
from playhead.serve.services import Services
from playhead.store.result import rows_of
from playhead.template.rendering import Given, Inputs

TOOLS_MAX: Final = 500
"""Most endpoints that are offered as tools."""
RESULT_BYTES_MAX: Final = 1_048_576
"""Longest result: it goes to a model, which reads it whole."""
LIST: Final = "list_resources"
DESCRIBE: Final = "describe"
QUERY: Final = "query"
_GENERAL: Final = frozenset({LIST, DESCRIBE, QUERY})
_FORMS: Final = ("csv", "json", "ndjson")
_FORM: Final = {
    "type": "string",
    "enum": list(_FORMS),
    "default": "csv",
    "description": "The form of the result.",
}


class Tool(msgspec.Struct, frozen=True):
    """A tool as an assistant is told of it."""

    name: str
    description: str
    schema: dict[str, Any]
    """JSON Schema of its arguments."""


class Tools:
    """What a token may do here, and the doing of it."""

    def __init__(self, desk: PipeDesk, services: Services) -> None:
        self._desk = desk
        self._services = services

    async def listed(self, request: Request, grant: Grant) -> list[Tool]:
        """Return the tools of a token."""
        live, reading = await self._desk.live(request), Reading(grant)
        parameters = Parameters(live.resolver.namespace, live.resolver.templates)
        found = _general() if grant.reads() else []
        for pipe in _endpoints(live, reading)[:TOOLS_MAX]:
            found.append(_tool(pipe, parameters))
        return found

    async def call(
        self, request: Request, grant: Grant, name: str, arguments: Mapping[str, Any]
    ) -> str:
        """Return what a tool says.

        Raises:
            PlayheadError: It cannot be done; the sentence says why, and what to do.
        """
        live, reading = await self._desk.live(request), Reading(grant)
        if name in _GENERAL and not grant.reads():
            raise NotFound(f"There is no tool '{name}' for this token.", hint="It reads nothing.")
        if name == LIST:
            return _json(_resources(live, reading))
        if name == DESCRIBE:
            return _json(await self._described(request, live, reading, _text(arguments, "name")))
        form = arguments.get("format", "csv")
        if form not in _FORMS:
            raise InvalidRequest(f"The format is one of {', '.join(_FORMS)}.")
        if name == QUERY:
            sql = _text(arguments, "sql")
            return await self._recorded(
                request, grant, QUERY_API, {"q": sql},
                lambda: self._sql(request, live, reading, (sql, form)),
            )  # fmt: skip
        pipe = _named(live, name)
        given = {key: _given(value) for key, value in arguments.items() if key != "format"}
        return await self._recorded(
            request, grant, pipe.name, given,
            lambda: self._endpoint(request, live, reading, (pipe, given, form)),
        )  # fmt: skip

    async def _recorded(
        self,
        request: Request,
        grant: Grant,
        name: str,
        given: Mapping[str, Any],
        answering: Callable[[], Awaitable[bytes]],
    ) -> str:
        async def watched() -> Response:
            seen = seen_of(request)
            seen.grant, seen.parameters = grant, dict(given)
            return Response(await answering())

        services = self._services
        response = await recorded(services.recorder, services.clock, request, name, watched)
        return bytes(response.body).decode("utf-8", "replace")

    async def _endpoint(
        self,
        request: Request,
        live: Live,
        reading: Reading,
        asked: tuple[Pipe, dict[str, Given], str],
    ) -> bytes:
        pipe, given, form = asked
        readable_pipe(live, pipe.name, reading)
        prepared = await live.resolver.endpoint(
            pipe.name, Inputs(params=given), may=reading, terms=reading.terms()
        )
        return await self._run(request, live, reading, (prepared, engine_format(form)))

    async def _sql(
        self, request: Request, live: Live, reading: Reading, asked: tuple[str, str]
    ) -> bytes:
        sql, form = asked
        prepared = await live.resolver.sql(
            sql, Inputs(), may=reading, terms=reading.terms(), values={}
        )
        return await self._run(
            request, live, reading, (prepared, prepared.format or engine_format(form))
        )

    async def _run(
        self, request: Request, live: Live, reading: Reading, asked: tuple[Prepared, str]
    ) -> bytes:
        prepared, form = asked
        question = Question(request, reading, live, prepared, output_settings({}))
        answered = await self._desk.run(question, form)
        seen_of(request).take(answered, form)
        if len(answered.body) > RESULT_BYTES_MAX:
            raise ResultTooLarge(
                f"The result has {len(answered.body)} bytes; at most {RESULT_BYTES_MAX} are given.",
                hint="Ask for fewer rows or columns, or for sums of them.",
            )
        return answered.body

    async def _described(
        self, request: Request, live: Live, reading: Reading, name: str
    ) -> dict[str, Any]:
        """Return the columns of a data source or endpoint, and an endpoint's parameters."""
        said: dict[str, Any] = {"name": name}
        pipe = live.workspace.project.pipes.get(name)
        if pipe is not None and name not in live.workspace.project.datasources:
            readable_pipe(live, name, reading)
            parameters = Parameters(live.resolver.namespace, live.resolver.templates)
            said |= {
                "kind": "endpoint" if pipe.endpoint else "pipe",
                "description": pipe.description.strip(),
            }
            said["parameters"] = _tool(pipe, parameters).schema
            try:
                prepared = await live.resolver.node(name, pipe.output.name, None)
            except PlayheadError:
                return said  # without parameters it gives nothing to look at
            prepared = msgspec.structs.replace(prepared, format=None)
        else:
            source = live.workspace.project.datasources.get(name)
            said |= {
                "kind": "data source",
                "description": source.description.strip() if source else "",
            }
            prepared = await live.resolver.sql(
                f"SELECT * FROM {_quoted(name)}",  # noqa: S608 (the guard examines it)
                Inputs(), may=reading, terms=reading.terms(), values={},
            )  # fmt: skip
        described = msgspec.structs.replace(prepared, sql=f"DESCRIBE ({prepared.sql})")
        rows = rows_of(await self._run(request, live, reading, (described, "JSONCompact"))).rows
        said["columns"] = [{"name": row[0], "type": row[1]} for row in rows]
        return said


def _general() -> list[Tool]:
    sql = {"type": "string", "description": "One SELECT in the SQL of ClickHouse."}
    name = {"type": "string", "description": "Of a data source or an endpoint."}
    return [
        Tool(LIST, "List the data sources and endpoints that can be read.", _schema({}, [])),
        Tool(
            DESCRIBE,
            "Describe a data source or endpoint: its columns with their types, and its parameters.",
            _schema({"name": name}, ["name"]),
        ),
        Tool(
            QUERY,
            "Run one SELECT over data sources and endpoints, which are its tables. Add a LIMIT.",
            _schema({"sql": sql, "format": _FORM}, ["sql"]),
        ),
    ]


def _tool(pipe: Pipe, parameters: Parameters) -> Tool:
    properties, required = {}, []
    for one in parameters.of_pipe(pipe):
        properties[one.name] = schema_of(one)
        said = [one.description, f"Example: {one.example}" if one.example else ""]
        if any(said):
            properties[one.name]["description"] = " ".join(part for part in said if part)
        if one.required:
            required.append(one.name)
    described = pipe.description.strip() or f"The endpoint {pipe.name}."
    return Tool(_tool_name(pipe), described, _schema({**properties, "format": _FORM}, required))


def _schema(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


def _tool_name(pipe: Pipe) -> str:
    return f"pipe_{pipe.name}" if pipe.name in _GENERAL else pipe.name


def _named(live: Live, name: str) -> Pipe:
    """Return the endpoint a tool stands for; raises NotFound."""
    found = live.workspace.project.pipes.get(name)
    if found is None and name.removeprefix("pipe_") in _GENERAL:
        found = live.workspace.project.pipes.get(name.removeprefix("pipe_"))
    if found is None or found.endpoint is None:
        shown = name[:NAME_CHARS_SHOWN]
        raise NotFound(f"There is no tool '{shown}'.", hint="tools/list names them.")
    return found


def _endpoints(live: Live, reading: Reading) -> list[Pipe]:
    return [
        pipe
        for pipe in live.workspace.project.pipes.values()
        if pipe.endpoint is not None and reading.pipe(pipe.name)
    ]


def _resources(live: Live, reading: Reading) -> dict[str, Any]:
    project = live.workspace.project
    sources = [
        {"name": name, "description": source.description.strip()}
        for name, source in project.datasources.items()
        if reading.datasource(name)
    ]
    own = [f"{PLAYHEAD}.{name}" for name in sorted(live.workspace.tables)]
    sources += [{"name": name, "description": ""} for name in own if reading.datasource(name)]
    endpoints = [
        {"name": pipe.name, "description": pipe.description.strip()}
        for pipe in _endpoints(live, reading)
    ]
    return {"datasources": sources, "endpoints": endpoints}


def _quoted(name: str) -> str:
    return ".".join(f"`{part.replace('`', '')}`" for part in name.split(".", 1))


def _text(arguments: Mapping[str, Any], name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InvalidRequest(f"The argument '{name}' is missing.")
    return value


def _given(value: Any) -> Given:
    """Return an argument as a parameter of a request would be."""
    if isinstance(value, list):
        return [one if isinstance(one, str) else _json(one) for one in value]
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
