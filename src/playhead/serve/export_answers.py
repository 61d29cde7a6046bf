"""The endpoints that hand views out: files of many, one in the input form of ITU-T P.1203."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from playhead.errors import InvalidRequest, PlayheadError, StoreBusy
from playhead.observe import logger
from playhead.query import export, p1203, views
from playhead.query.export import ExportQuestion, FileForm
from playhead.query.question import check_names
from playhead.query.scope import Scope as Asked
from playhead.query.span import iso
from playhead.serve.answer import MEDIA, answer, form_of, values_of
from playhead.serve.desk import Desk, while_connected

_LOG = logger("serve")
_RETRY_AFTER_S: Final = 10


class ExportAnswers:
    """Exports run beside the answers, a few at once: each holds one of the store's slots long."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._running = 0

    async def views(self, request: Request) -> Response:
        """`GET /v1/views/export`: every view of a span, as a file."""
        grant = self._desk.admission.reader(request)
        form = _file_form(request)
        asking = self._desk.asking(grant)
        question = export.export_question_of(values_of(request), asking, form)
        pieces = self._pieces(question)
        first = await while_connected(request, _first(pieces))
        return Export(first, pieces, question)

    async def p1203(self, request: Request) -> Response:
        """`GET /v1/views/{id}/p1203`: one view as the input of an ITU-T P.1203 model."""
        grant = self._desk.admission.reader(request)
        check_names(values_of(request), frozenset(), frozenset())
        scope = Asked(property=grant.property)
        view_id = request.path_params["view_id"]
        asked = views.one_view(self._desk.reader, scope, view_id)
        found = p1203.input_of(await while_connected(request, asked))
        meta = await self._desk.freshness()
        return answer(found.data, meta | {"assumed": found.assumed, "left_out": found.left_out})

    async def _pieces(self, question: ExportQuestion) -> AsyncGenerator[bytes, None]:
        most = self._desk.reader.config.query.max_exports
        if self._running >= most:
            raise StoreBusy(f"{most} exports are already running.", retry_after_s=_RETRY_AFTER_S)
        self._running += 1
        stream = export.chunks(self._desk.reader, question)
        try:
            async for piece in stream:
                yield piece
        finally:
            self._running -= 1
            await stream.aclose()


class Export(StreamingResponse):
    """A file on its way. One that cannot be finished is never ended as if it were whole.

    Its last line then says why (not in Parquet, which has no lines), and the connection is cut
    without the end of the body, so that every HTTP client reports it.
    """

    def __init__(
        self, first: bytes, rest: AsyncGenerator[bytes, None], question: ExportQuestion
    ) -> None:
        self._first = first
        self._rest = rest
        self._form = question.form
        span = question.span
        name = "-".join("".join(c for c in iso(ms)[:16] if c.isalnum()) for ms in _edges(span))
        headers = {
            "cache-control": "private, no-store",
            "vary": "accept, authorization",
            "content-disposition": f'attachment; filename="views-{name}.{self._form}"',
        }
        super().__init__(self._all(), media_type=MEDIA[self._form], headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file; however that ends, the query ends with it."""
        if scope["method"] == "HEAD":  # nobody reads it: it must not be made
            self.body_iterator = _nothing()
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._rest.aclose()

    async def stream_response(self, send: Send) -> None:
        """Send piece after piece; leave the body open when one cannot be had."""
        try:
            await super().stream_response(send)
        except PlayheadError as error:
            _LOG.warning("export_cut", form=self._form, code=error.code, reason=error.message)
            line = {"type": "http.response.body", "body": _trailer(self._form, error)}
            await send(line | {"more_body": True})

    async def _all(self) -> AsyncIterator[bytes]:
        if self._first:
            yield self._first
        async for piece in self._rest:
            yield piece


async def _nothing() -> AsyncIterator[bytes]:
    none: tuple[bytes, ...] = ()
    for piece in none:
        yield piece


async def _first(pieces: AsyncGenerator[bytes, None]) -> bytes:
    async for piece in pieces:
        return piece
    return b""


def _file_form(request: Request) -> FileForm:
    form = form_of(request)
    if form != "json":
        return form
    if request.query_params.get("format"):
        hint = "Use ndjson, csv or parquet."
        raise InvalidRequest("An export is not one JSON document.", hint=hint)
    return "ndjson"


def _trailer(form: FileForm, error: PlayheadError) -> bytes:
    if form == "parquet":
        return b""
    body: dict[str, Any] = {"error": error.body()}
    line = msgspec.json.encode(body)
    return b"\n" + line + b"\n" if form == "ndjson" else b"\r\n# " + line + b"\r\n"


def _edges(span: Any) -> tuple[int, int]:
    return span.from_ms, span.to_ms
