"""One viewer: everything that is kept about them, and its deletion. For admins."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from playhead.access import Grant
from playhead.errors import Forbidden, InvalidRequest, PlayheadError, Unavailable
from playhead.jobs.job import job_id
from playhead.log.segments import SegmentLog
from playhead.observe import logger
from playhead.privacy.deletion import Means, Report, delete, live_manifest
from playhead.privacy.export import rows_about
from playhead.privacy.tables import tables_of
from playhead.privacy.viewer import Viewer, viewer_of
from playhead.query.question import check_names
from playhead.serve.admission import Admission
from playhead.serve.answer import MEDIA, Form, answer, form_of, values_of
from playhead.serve.services import Services
from playhead.store.client import Limits

_LOG = logger("serve")
_BUSY_RETRY_S: Final = 5
_BOOLEANS: Final = {"": False, "false": False, "true": True}


class ViewerAnswers:
    """Exports and deletions, one at a time."""

    def __init__(
        self, services: Services, admission: Admission, forget_answers: Callable[[], None]
    ) -> None:
        self._services = services
        self._admission = admission
        self._forget_answers = forget_answers
        self._turn = asyncio.Lock()

    def routes(self) -> list[Route]:
        """Return the address."""
        return [Route("/v1/viewers/{viewer_id:any}", self.viewer, methods=["GET", "DELETE"])]

    async def viewer(self, request: Request) -> Response:
        """`GET /v1/viewers/{id}`: every row about a viewer; `DELETE`: delete them all."""
        _require_admin(self._admission.reader(request))
        values = values_of(request)
        is_deletion = request.method == "DELETE"
        known = {"property", "column", *(("now",) if is_deletion else ())}
        check_names(values, frozenset(known), frozenset({"column"}))
        columns = (*self._services.config.privacy.viewer_columns, *values.get("column", ()))
        property_ = (values.get("property") or [""])[-1]
        viewer = viewer_of(request.path_params["viewer_id"], property_, columns)
        if self._turn.locked():
            raise Unavailable(
                "Another viewer is being exported or deleted; nothing was done.",
                retry_after_s=_BUSY_RETRY_S,
            )
        if is_deletion:
            now = _BOOLEANS.get((values.get("now") or [""])[-1].lower())
            if now is None:
                raise InvalidRequest("now is true or false. Nothing was deleted.")
            return await self._delete(viewer, now=now)
        return await self._export(viewer, form_of(request))

    async def _delete(self, viewer: Viewer, *, now: bool) -> Response:
        """Delete; a caller who leaves does not stop it."""
        deleting = asyncio.ensure_future(self._deleted(viewer, now=now))
        deleting.add_done_callback(_seen)
        report = await asyncio.shield(deleting)
        return answer(msgspec.to_builtins(report), {"now": now})

    async def _deleted(self, viewer: Viewer, *, now: bool) -> Report:
        async with self._turn:
            try:
                report = await delete(_means(self._services), viewer, now=now)
            finally:  # also what was deleted in part
                self._forget_answers()
        _LOG.info("viewer_deleted", events=report.events, views=report.views, now=now)
        return report

    async def _export(self, viewer: Viewer, form: Form) -> Response:
        if form not in {"json", "ndjson"}:
            raise InvalidRequest("An export of a viewer is json or ndjson.")
        services = self._services
        manifest = await asyncio.to_thread(live_manifest, services.config.data_dir)
        found = await tables_of(services.store, viewer, manifest)
        query = services.config.query
        limits = Limits(
            timeout_ms=query.export_timeout_ms,
            max_result_rows=query.max_export_rows,
            max_result_bytes=query.max_export_bytes,
            max_memory_bytes=services.config.store.max_query_memory_bytes,
        )
        rows = rows_about(services.store, viewer, found, limits)
        return _Rows(self._in_turn(rows), form)

    async def _in_turn(self, rows: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async with self._turn:
            try:
                async for row in rows:
                    yield row
            finally:
                await rows.aclose()


class _Rows(StreamingResponse):
    """Rows on their way. What cannot be finished is never ended as if it were whole."""

    def __init__(self, rows: AsyncGenerator[bytes, None], form: Form) -> None:
        self._rows = rows
        self._form = form
        headers = {
            "cache-control": "private, no-store",
            "content-disposition": f'attachment; filename="viewer.{form}"',
        }
        super().__init__(self._all(), media_type=MEDIA[form], headers=headers)

    async def stream_response(self, send: Callable[..., object]) -> None:
        """Send row after row; leave the body open when one cannot be had."""
        try:
            await super().stream_response(send)  # type: ignore[arg-type]
        except PlayheadError as error:
            _LOG.warning("viewer_export_cut", code=error.code, reason=error.message)
            line = b"\n" + msgspec.json.encode({"error": error.body()}) + b"\n"
            await send({"type": "http.response.body", "body": line, "more_body": True})  # type: ignore[misc]
        finally:
            await self._rows.aclose()

    async def _all(self) -> AsyncIterator[bytes]:
        is_json, first = self._form == "json", True
        if is_json:
            yield b'{"data":['
        async for row in self._rows:
            yield row + b"\n" if not is_json else row if first else b",\n" + row
            first = False
        if is_json:
            yield b'],"meta":{}}'


def _require_admin(grant: Grant) -> None:
    if grant.kind != "admin" or grant.property:
        raise Forbidden(
            "Only an admin token may see or delete all that is kept about a viewer.",
            hint="The admin token is in the data folder's admin.token.",
        )


def _means(services: Services) -> Means:
    if services.runner is None or not isinstance(services.log, SegmentLog):
        raise Unavailable("This process does not write the log; nothing was deleted.")
    clock = services.clock
    return Means(
        config=services.config,
        clock=clock,
        store=services.store,
        log=services.log,
        ledger=services.ledger,
        append=services.runner.desk.append,
        new_id=lambda: job_id(clock.now_ms()),
    )


def _seen(done: "asyncio.Future[Report]") -> None:
    if not done.cancelled():
        done.exception()  # seen, so that it is not reported when the caller has left
