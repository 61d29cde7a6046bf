"""The ClickHouse HTTP interface: a statement comes in, an answer as ClickHouse gives it goes out."""

import gzip
import secrets
import time
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import zstandard
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from playhead.access import Grant
from playhead.errors import Forbidden, NotFound, PlayheadError, QueryRefused
from playhead.query.guard.nodes import Tree
from playhead.query.guard.trees import Trees
from playhead.query.pipes.formats import media_of
from playhead.query.pipes.live import Live
from playhead.query.pipes.resolve import Prepared
from playhead.record.recorder import SqlCall
from playhead.serve.admission import Admission
from playhead.serve.clickhouse import native
from playhead.serve.clickhouse.catalogue import PROJECT, SHAPES, Catalogue, reading_of, value_of
from playhead.serve.clickhouse.fault import code_of, fault
from playhead.serve.clickhouse.request import Asked, asked_of, plain, secret_of
from playhead.serve.clickhouse.rewriting import Facts, Rewritten, known_format, rewritten
from playhead.serve.clickhouse.statement import Statement, understood
from playhead.serve.pipes.desk import PipeDesk, Question
from playhead.serve.pipes.reading import Reading
from playhead.serve.pipes.recording import rows_in
from playhead.serve.services import Services
from playhead.store.binding import Sent
from playhead.store.client import Answered
from playhead.store.result import rows_of
from playhead.template.rendering import Inputs

PATH: Final = "/clickhouse"
DEFAULT_FORMAT: Final = "TabSeparated"
PACKED_FROM_BYTES: Final = 1_024
"""Shorter answers are sent as they are."""
_METHODS: Final = ["GET", "POST"]
_GREETING: Final = "displayname()"
_NAME: Final = "playhead"


def is_statement(scope: Scope) -> bool:
    """Return whether a request for `/` is one of ClickHouse's clients, and not of a browser."""
    given = b"&" + scope.get("query_string", b"")
    return scope["method"] == "POST" or b"&query=" in given


class ClickHouseAnswers:
    """Answers statements. Every one is examined and filtered as /v0/sql does it."""

    def __init__(self, desk: PipeDesk, services: Services, admission: Admission) -> None:
        self._desk = desk
        self._services = services
        self._admission = admission
        self._store = services.store
        self._trees = Trees(services.store, entries_max=services.config.pipes.prepared_entries)
        self._catalogue = Catalogue(services.store, services.clock)
        self._version = ""

    def routes(self) -> list[Route]:
        """Return the addresses; the application sends statements for `/` here, too."""
        return [
            Route("/ping", self.ping),
            Route(f"{PATH}/ping", self.ping),
            Route(f"{PATH}/replicas_status", self.ping),
            Route(PATH, self.statement, methods=_METHODS),
            Route(f"{PATH}/", self.statement, methods=_METHODS),
        ]

    async def ping(self, _: Request) -> Response:
        """`GET /ping`: that the server is there."""
        return Response("Ok.\n", media_type="text/plain", headers={"cache-control": "no-store"})

    async def statement(self, request: Request) -> Response:
        """`GET` and `POST /` of a ClickHouse client."""
        began_ms, began_s = self._services.clock.now_ms(), time.perf_counter()
        asked = Asked(query="")
        grant: Grant | None = None
        headers = {"x-clickhouse-timezone": "UTC", "x-clickhouse-server-display-name": _NAME}
        headers["x-clickhouse-query-id"] = secrets.token_hex(16)
        error: PlayheadError | None = None
        cost = Answered(b"", "")
        form = ""
        try:
            grant = self._admission.holder_of(secret_of(request)).grant
            request.state.home = self._desk.workspaces.of(grant.workspace)
            asked = await asked_of(request, self._services.config)
            if asked.query_id:
                headers["x-clickhouse-query-id"] = asked.query_id
            await self._known_version()
            cost, form = await self._answer(request, asked, grant)
            response = _response(asked, cost, form, headers)
        except PlayheadError as refused:
            error = refused
            response = fault(refused, self._version, headers)
        if self._services.recorder is not None and grant is not None:
            took_s = time.perf_counter() - began_s
            self._services.recorder.sql(
                _call(asked, grant, cost, form, error, began_ms=began_ms, took_s=took_s)
            )
        return response

    async def _answer(self, request: Request, asked: Asked, grant: Grant) -> tuple[Answered, str]:
        """Return what a statement gives, and in which format."""
        if not grant.reads():
            raise Forbidden(
                "This token may only send; it reads nothing.",
                hint="Use a token with a scope such as DATASOURCES:READ or PIPES:READ.",
            )
        reading, live = Reading(grant), await self._desk.live(request)
        facts = Facts(user=grant.name or "default", database=asked.database or PROJECT)
        if not asked.query.strip():
            raise QueryRefused("The query is empty.", hint="Send a statement as 'query' or body.")
        statement = understood(asked.query, facts.database)
        if not statement.sql:
            return Answered(b"", ""), DEFAULT_FORMAT
        done = await self._translated(statement.sql, facts)
        values = await self._values(asked, done, live, reading)
        text = await self._trees.text(done.tree) if done.changed else statement.sql
        prepared = await live.resolver.sql(
            text,
            Inputs(params={name: plain(value) for name, value in asked.values.items()}),
            may=reading,
            terms=reading.terms(),
            values=values,
        )
        named = done.format or statement.format or asked.format or DEFAULT_FORMAT
        form = known_format(named)
        settings = {**asked.settings, **done.settings}
        question = Question(request, reading, live, prepared, settings)
        return await self._run(question, form, statement, asked), form

    async def _run(
        self, question: Question, form: str, statement: Statement, asked: Asked
    ) -> Answered:
        if statement.describe:
            described = f"DESCRIBE ({question.prepared.sql})"
            question = _with(question, described)
        answered = await self._desk.run(question, form)
        if statement.one and not rows_in_any(answered, form):
            raise NotFound(
                f"Table {statement.one[:200]} does not exist.", hint="SHOW TABLES lists them."
            )
        if form == "Native":
            return await self._native(question, answered, asked)
        return answered

    async def _native(self, question: Question, answered: Answered, asked: Asked) -> Answered:
        """Return a result in Native as clients read it: with its columns even where it has no rows."""
        body = answered.body
        if not body:
            described = _with(question, f"DESCRIBE ({question.prepared.sql})")
            rows = rows_of((await self._desk.run(described, "JSONCompact")).body).rows
            body = native.head((str(row[0]), str(row[1])) for row in rows)
        if asked.protocol and _GREETING in asked.query.lower():
            body = native.for_revision(body, asked.protocol)
        return msgspec.structs.replace(answered, body=body)

    async def _translated(self, sql: str, facts: Facts) -> Rewritten:
        tree = await self._trees.parse(sql)
        if tree.get("type") != "SelectWithUnionQuery":
            raise QueryRefused("This interface only reads; nothing was changed.")
        queries = {name: None for name in SHAPES if name in sql}
        parsed: dict[str, Tree] = {
            name: await self._trees.parse(reading_of(name)) for name in queries
        }
        return rewritten(tree, facts, _Copies(parsed))

    async def _values(
        self, asked: Asked, done: Rewritten, live: Live, reading: Reading
    ) -> dict[str, str]:
        """Return the values of a query: those that were sent, and the rows of system tables."""
        values: dict[str, str] = {name: Sent(value) for name, value in asked.values.items()}
        for name in done.system:
            values[value_of(name)] = await self._catalogue.rows(name, live, reading)
        return values

    async def _known_version(self) -> None:
        if not self._version:
            self._version = str((await self._store.rows("SELECT version()")).rows[0][0])


class _Copies(Mapping[str, Tree]):
    """Trees by name; each time one is taken it is a copy, so that it may become part of another."""

    def __init__(self, trees: dict[str, Tree]) -> None:
        self._kept = {name: msgspec.json.encode(tree) for name, tree in trees.items()}

    def __getitem__(self, name: str) -> Tree:
        found: Tree = msgspec.json.decode(self._kept[name])
        return found

    def __iter__(self) -> Any:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


def rows_in_any(answered: Answered, form: str) -> int:
    """Return whether a result has rows, as far as its form tells."""
    counted = rows_in(answered.body, form)
    telling = form.endswith(("EachRow", "WithNames")) or form in {
        "JSON", "JSONCompact", "CSV", "TSV", "TabSeparated",
    }  # fmt: skip
    return counted if telling else len(answered.body)


def _with(question: Question, sql: str) -> Question:
    prepared: Prepared = msgspec.structs.replace(question.prepared, sql=sql)
    return msgspec.structs.replace(question, prepared=prepared)


def _response(asked: Asked, answered: Answered, form: str, headers: dict[str, str]) -> Response:
    summary = {
        "read_rows": str(answered.rows_read),
        "read_bytes": str(answered.bytes_read),
        "written_rows": "0",
        "written_bytes": "0",
        "total_rows_to_read": str(answered.rows_read),
        "result_rows": str(rows_in(answered.body, form)),
        "result_bytes": str(len(answered.body)),
        "elapsed_ns": str(int(answered.elapsed_s * 1e9)),
    }
    told = {
        **headers,
        "content-type": media_of(form),
        "cache-control": "private, no-store",
        "vary": "accept-encoding",
        "x-clickhouse-format": form,
        "x-clickhouse-summary": msgspec.json.encode(summary).decode(),
    }
    body = answered.body
    if asked.compression and len(body) >= PACKED_FROM_BYTES:
        told["content-encoding"] = asked.compression
        if asked.compression == "zstd":
            body = zstandard.ZstdCompressor(level=1).compress(body)
        else:
            body = gzip.compress(body, 3, mtime=0)
    return Response(body, headers=told)


def _call(  # noqa: PLR0913 (what there is to tell)
    asked: Asked,
    grant: Grant,
    cost: Answered,
    form: str,
    error: PlayheadError | None,
    *,
    began_ms: int,
    took_s: float,
) -> SqlCall:
    return SqlCall(
        query=asked.query,
        workspace=getattr(grant, "workspace", ""),
        began_ms=began_ms,
        duration_s=took_s,
        error_code=code_of(error) if error is not None else 0,
        error=error.message if error is not None else "",
        read_rows=cost.rows_read,
        read_bytes=cost.bytes_read,
        result_rows=rows_in(cost.body, form),
        result_bytes=len(cost.body),
    )
