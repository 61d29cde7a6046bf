"""What there is to read: the data sources of the project, and Playhead's own tables beside them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playhead.access.grant import QUARANTINE
from playhead.errors import Forbidden, InvalidRequest, NotFound
from playhead.project.resources import Datasource
from playhead.query.pipes.live import Live
from playhead.query.pipes.stored import StoredColumn, StoredTable, stored
from playhead.query.pipes.workspace import NAME_CHARS_SHOWN, PLAYHEAD
from playhead.query.span import iso
from playhead.serve.pipes.desk import PipeDesk, document
from playhead.serve.pipes.reading import Reading
from playhead.store.async_client import AsyncStoreClient

PATH: Final = "/v0/datasources"
OWN_PARAMETER: Final = "playhead"
_YES: Final = {"true": True, "false": False, "": False}
_EMPTY: Final = Datasource(name="", path="")
_SAID: Final = {
    "views": "One row a view, from its start to its end; FINAL gives the newest state of each.",
    "events": "What players sent, one row an event.",
    "cdn_requests": "What CDNs logged, one row a request.",
    "cdn_minutes": "The requests of CDNs, summed by the minute.",
    "stream_frames": "What encoders and webcams report.",
    "quarantine": "What the doors refused, with the reason.",
}
_Tables = Mapping[tuple[str, str], StoredTable]


class DatasourceAnswers:
    """Answers what is asked of data sources."""

    def __init__(self, desk: PipeDesk, store: AsyncStoreClient) -> None:
        self._desk = desk
        self._store = store

    def routes(self) -> list[Route]:
        """Return the addresses."""
        methods = ["GET", "OPTIONS"]
        return [
            Route(PATH, self.datasources, methods=methods),
            Route(PATH + "/{name}.datasource", self.text, methods=methods),
            Route(PATH + "/{name}", self.datasource, methods=methods),
        ]

    async def datasources(self, request: Request) -> Response:
        """`GET /v0/datasources`."""
        return await self._desk.answer(request, self._datasources)

    async def datasource(self, request: Request) -> Response:
        """`GET /v0/datasources/{name}`."""
        return await self._desk.answer(request, self._datasource)

    async def text(self, request: Request) -> Response:
        """`GET /v0/datasources/{name}.datasource`."""
        return await self._desk.answer(request, self._text)

    async def _datasources(self, request: Request, reading: Reading) -> Response:
        live = await self._desk.live(request)
        tables = await _stored(self._store, live)
        own = _YES.get(request.query_params.get(OWN_PARAMETER, ""))
        if own is None:
            raise InvalidRequest(f"The parameter '{OWN_PARAMETER}' takes true or false.")
        names = [*live.workspace.project.datasources, *(_own(live) if own else ())]
        readable = [name for name in names if reading.datasource(name)]
        said = [_described(live, tables, name, reading) for name in readable]
        return document({"datasources": said})

    async def _datasource(self, request: Request, reading: Reading) -> Response:
        live = await self._desk.live(request)
        name = _readable(live, request.path_params["name"], reading)
        tables = await _stored(self._store, live)
        return document(_described(live, tables, name, reading))

    async def _text(self, request: Request, reading: Reading) -> Response:
        live = await self._desk.live(request)
        name = _readable(live, request.path_params["name"], reading)
        source = live.workspace.project.datasources.get(name)
        if source is None or not source.text:
            raise NotFound(
                f"The data source '{name}' has no file.", hint="Playhead, or a pipe, makes it."
            )
        if not reading.all():
            raise Forbidden(
                "This token may not see the project's files.",
                hint="Use a token with the scope WORKSPACE:READ_ALL.",
            )
        headers = {"cache-control": "private, no-store"}
        return Response(source.text, media_type="text/plain", headers=headers)


async def _stored(store: AsyncStoreClient, live: Live) -> _Tables:
    return await stored(store, [*live.workspace.databases(), live.workspace.own_database()])


def _own(live: Live) -> Iterator[str]:
    """Yield the names of Playhead's own tables."""
    return (f"{PLAYHEAD}.{name}" for name in sorted(live.workspace.tables))


def _readable(live: Live, name: str, reading: Reading) -> str:
    """Return the name of a data source that is there and may be read.

    Raises:
        NotFound: There is none.
        Forbidden: Not for this token.
    """
    project = live.workspace.project
    name = project.aliases.get(name, name)
    if name not in project.datasources and name not in set(_own(live)):
        shown = name[:NAME_CHARS_SHOWN]
        raise NotFound(f"There is no data source '{shown}'.", hint=f"GET {PATH} lists them.")
    if not reading.datasource(name):
        raise Forbidden(
            f"This token may not read the data source '{name}'.",
            hint=f"Use a token with the scope DATASOURCES:READ:{name}.",
        )
    return name


def _described(live: Live, tables: _Tables, name: str, reading: Reading) -> dict[str, Any]:
    """Return a data source as its clients read it.

    How many rows there are is not said to a token that sees some of them only.
    """
    database, _, own = name.rpartition(".")
    source = live.workspace.project.datasources.get(name, _EMPTY)
    where, _, _ = live.workspace.stored_name(name).partition(".")
    table = tables.get((where, own), StoredTable(engine=""))
    built_at = iso(live.built_at_ms) if live.built_at_ms else None
    some = name in reading.conditions()
    return {
        "id": name,
        "name": name,
        "description": source.description or (_SAID.get(own, "") if database else ""),
        "kind": "playhead" if database else "project",
        "tags": list(source.tags),
        "created_at": built_at,
        "updated_at": built_at,
        "columns": [_column(one, source) for one in table.columns],
        "engine": {
            "engine": table.engine,
            "engine_sorting_key": source.engine.sorting_key or table.sorting_key,
            "engine_partition_key": source.engine.partition_key or table.partition_key,
            "engine_primary_key": source.engine.primary_key or table.primary_key,
        },
        "statistics": {
            "row_count": None if some else table.row_count,
            "bytes": None if some else table.bytes,
        },
        "quarantine_rows": _refused(live, tables, name, reading),
    }


def _column(column: StoredColumn, source: Datasource) -> dict[str, Any]:
    file = next((one for one in source.columns if one.name == column.name), None)
    return {
        "name": column.name,
        "type": column.type,
        "nullable": column.type.startswith(("Nullable(", "LowCardinality(Nullable(")),
        "jsonpath": file.json_path if file else None,
        # In the words of the file: the engine puts them into brackets of its own.
        "default_value": (file.default if file else "") or column.default or None,
    }


def _refused(live: Live, tables: _Tables, name: str, reading: Reading) -> int | None:
    """Return how many rows are in quarantine; None where there is none, or not for this token."""
    table = tables.get((live.workspace.database, name + QUARANTINE))
    return table.row_count if table and reading.datasource(name + QUARANTINE) else None
