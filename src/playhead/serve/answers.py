"""The endpoints of /v1 that read the store."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from playhead.access import Grant
from playhead.errors import NotFound
from playhead.query import concurrent, metrics
from playhead.query import live as live_query
from playhead.query import views as views_query
from playhead.query.catalogue import CUSTOM_PREFIX, Catalogue, Metric, catalogue
from playhead.query.question import FORMS, Asking, Question, check_names, question_of
from playhead.query.reader import Reader
from playhead.query.scope import Scope
from playhead.query.span import INTERVALS, Span, iso
from playhead.serve.admission import Admission
from playhead.serve.answer import answer, form_of, values_of
from playhead.serve.pipeline import pipeline_of
from playhead.serve.services import Services

T = TypeVar("T")


class Answers:
    """Reads a request, asks, and answers; a caller who goes away ends the query."""

    def __init__(self, services: Services, admission: Admission) -> None:
        self._services = services
        self._admission = admission
        self._catalogue: Catalogue = catalogue()
        self._reader = Reader(services.store, services.config, services.clock, self._catalogue)

    async def catalogue(self, request: Request) -> Response:
        """`GET /v1/metrics`: every metric, dimension and interval."""
        self._admission.reader(request)
        check_names(values_of(request), frozenset(), frozenset())
        data = {
            "metrics": [_described(metric) for metric in self._catalogue.metrics.values()],
            "dimensions": [
                {"id": one.id, "description": one.description}
                for one in self._catalogue.dimensions.values()
            ]
            + [{"id": f"{CUSTOM_PREFIX}KEY", "description": "A custom dimension of yours."}],
        }
        return answer(data, {"intervals": [*INTERVALS, "auto"]})

    async def metric(self, request: Request) -> Response:
        """`GET /v1/metrics/{id}/{overall|timeseries|breakdown}`."""
        grant = self._admission.reader(request)
        form = form_of(request)
        metric = self._catalogue.metric(request.path_params["metric"])
        shape = next((one for one in FORMS if one == request.path_params["form"]), None)
        if shape is None:
            raise NotFound("There is no such form.", hint=f"Use one of {', '.join(FORMS)}.")
        question = question_of(metric, shape, values_of(request), self._asking(grant))
        data, more = await _while_connected(request, self._asked(question))
        meta = await self._meta(question.span, metric=metric, measurement=question.measurement)
        meta |= _form_meta(question, more=more)
        return answer(data, meta, form)

    async def live(self, request: Request) -> Response:
        """`GET /v1/live`: the last minutes in buckets of five seconds."""
        grant = self._admission.reader(request)
        form = form_of(request)
        question = live_query.live_question_of(values_of(request), self._asking(grant))
        rows = await _while_connected(request, live_query.live(self._reader, question))
        meta = await self._meta(question.span)
        meta |= {
            "metric": "live",
            "interval": "5s",
            "group_by": question.group_by.id if question.group_by else None,
        }
        return answer(rows, meta, form)

    async def views(self, request: Request) -> Response:
        """`GET /v1/views`: a page of view rows."""
        grant = self._admission.reader(request)
        form = form_of(request)
        question = views_query.views_question_of(values_of(request), self._asking(grant))
        rows, cursor = await _while_connected(request, views_query.page(self._reader, question))
        meta = await self._meta(question.span) | {"next_cursor": cursor}
        response = answer(rows, meta, form)
        if cursor is not None:
            response.headers["x-next-cursor"] = cursor
        return response

    async def view(self, request: Request) -> Response:
        """`GET /v1/views/{id}`: one view with its intervals and events."""
        grant = self._admission.reader(request)
        check_names(values_of(request), frozenset(), frozenset())
        scope = Scope(property=grant.property)
        view_id = request.path_params["view_id"]
        row = await _while_connected(request, views_query.one_view(self._reader, scope, view_id))
        meta = await self._freshness() | {"provisional": not row["final"]}
        return answer(row, meta)

    def _asking(self, grant: Grant) -> Asking:
        return Asking(
            catalogue=self._catalogue,
            config=self._services.config,
            now_ms=self._reader.now_ms(),
            property=grant.property,
        )

    async def _asked(self, question: Question) -> tuple[Any, bool]:
        source: Any = concurrent if question.metric.kind == "concurrent" else metrics
        if question.form == "breakdown":
            rows, more = await source.breakdown(self._reader, question)
            return rows, more
        ask = source.overall if question.form == "overall" else source.timeseries
        return await ask(self._reader, question), False

    async def _meta(
        self, span: Span, *, metric: Metric | None = None, measurement: str | None = None
    ) -> dict[str, Any]:
        return {
            "metric": metric.id if metric else None,
            "unit": metric.unit_of(measurement or "") if metric else None,
            "measurement": measurement,
            "from": iso(span.from_ms),
            "to": iso(span.to_ms),
            "interval": None,
            "timezone": "UTC",
            **await self._freshness(),
            "provisional": self._reader.is_open(span),
        }

    async def _freshness(self) -> dict[str, Any]:
        pipeline = await asyncio.to_thread(pipeline_of, self._services)
        newest = pipeline.newest_received_at
        return {
            "freshness_ms": pipeline.freshness_ms,
            "newest_event_at": iso(newest) if newest else None,
        }


def _form_meta(question: Question, *, more: bool) -> dict[str, Any]:
    meta: dict[str, Any] = {
        "timezone": question.zone.key,
        "interval": question.buckets.interval if question.buckets else None,
        "group_by": question.group_by.id if question.group_by else None,
    }
    if question.form == "breakdown":
        meta["more"] = more
    if question.metric.kind == "concurrent" and question.measurement == "max":
        meta["sampled_every_ms"] = concurrent.step_of(question.span)
    return meta


def _described(metric: Metric) -> dict[str, Any]:
    return {
        "id": metric.id,
        "name": metric.name,
        "unit": metric.unit,
        "format": metric.format,
        "definition": metric.definition,
        "bucket": metric.bucket,
        "better": metric.better,
        "measurement": metric.allowed()[0],
        "measurements": metric.allowed(),
        "compat": metric.compat,
    }


async def _while_connected(request: Request, asked: Coroutine[Any, Any, T]) -> T:
    """Return what was asked; when the caller goes away, cancel it, which ends its query."""
    asking = asyncio.ensure_future(asked)
    leaving = asyncio.ensure_future(_left(request.receive))
    try:
        await asyncio.wait({asking, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            raise ClientDisconnect
        return asking.result()
    finally:
        for task in (asking, leaving):
            if not task.done():
                task.cancel()
        await asyncio.gather(asking, leaving, return_exceptions=True)


async def _left(receive: Callable[[], Awaitable[Any]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
