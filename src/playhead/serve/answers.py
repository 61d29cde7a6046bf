"""The endpoints of /v1 that read the store."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from playhead.errors import NotFound
from playhead.query import concurrent, metrics
from playhead.query import live as live_query
from playhead.query import views as views_query
from playhead.query.catalogue import CUSTOM_PREFIX, RELATIVE_ERROR, Metric
from playhead.query.export import types
from playhead.query.question import FORMS, Question, check_names, question_of
from playhead.query.rollup import relative_error
from playhead.query.scope import Scope
from playhead.query.span import INTERVALS
from playhead.serve.answer import answer, form_of, values_of
from playhead.serve.desk import Desk, while_connected
from playhead.serve.parquet import TIME

VIEW_COLUMNS = types()


class Answers:
    """Reads a request, asks, and answers; a caller who goes away ends the query."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def catalogue(self, request: Request) -> Response:
        """`GET /v1/metrics`: every metric, dimension and interval."""
        self._desk.admission.reader(request)
        form = form_of(request)
        check_names(values_of(request), frozenset(), frozenset())
        data = {
            "metrics": [_described(metric) for metric in self._desk.catalogue.metrics.values()],
            "dimensions": [
                {"id": one.id, "description": one.description, "sources": one.sources}
                for one in self._desk.catalogue.listed
            ]
            + [
                {
                    "id": f"{CUSTOM_PREFIX}KEY",
                    "description": "A custom dimension of yours.",
                    "sources": ("views", "renditions"),
                }
            ],
        }
        shown = data if form == "json" else data["metrics"]
        return answer(shown, {"intervals": [*INTERVALS, "auto"]}, form)

    async def metric(self, request: Request) -> Response:
        """`GET /v1/metrics/{id}/{overall|timeseries|breakdown}`."""
        grant = self._desk.admission.reader(request)
        form = form_of(request)
        metric = self._desk.catalogue.metric(request.path_params["metric"])
        shape = next((one for one in FORMS if one == request.path_params["form"]), None)
        if shape is None:
            raise NotFound(
                "There is no such form.", hint=f"Use one of {', '.join((*FORMS, 'histogram'))}."
            )
        question = question_of(metric, shape, values_of(request), self._desk.asking(grant))
        data, more = await while_connected(request, self._asked(question))
        meta = await self._desk.meta(question.span, metric=metric, measurement=question.measurement)
        meta |= _form_meta(question, more=more)
        if error := await relative_error(self._desk.reader, question):
            meta["relative_error"] = error
        return answer(data, meta, form, columns=_columns(question))

    async def live(self, request: Request) -> Response:
        """`GET /v1/live`: the last minutes in buckets of five seconds."""
        grant = self._desk.admission.reader(request)
        form = form_of(request)
        question = live_query.live_question_of(values_of(request), self._desk.asking(grant))
        rows = await while_connected(request, live_query.live(self._desk.reader, question))
        meta = await self._desk.meta(question.span)
        meta |= {
            "metric": "live",
            "interval": "5s",
            "group_by": question.group_by.id if question.group_by else None,
        }
        return answer(rows, meta, form)

    async def views(self, request: Request) -> Response:
        """`GET /v1/views`: a page of view rows."""
        grant = self._desk.admission.reader(request)
        form = form_of(request)
        question = views_query.views_question_of(values_of(request), self._desk.asking(grant))
        rows, cursor = await while_connected(request, views_query.page(self._desk.reader, question))
        meta = await self._desk.meta(question.span) | {"next_cursor": cursor}
        response = answer(rows, meta, form, columns=VIEW_COLUMNS)
        if cursor is not None:
            response.headers["x-next-cursor"] = cursor
        return response

    async def view(self, request: Request) -> Response:
        """`GET /v1/views/{id}`: one view with its intervals, events and causes."""
        grant = self._desk.admission.reader(request)
        form = form_of(request)
        check_names(values_of(request), frozenset(), frozenset())
        scope = Scope(property=grant.property)
        view_id = request.path_params["view_id"]
        row = await while_connected(
            request, views_query.one_view(self._desk.reader, scope, view_id)
        )
        meta = await self._desk.freshness() | {"provisional": not row["final"]}
        return answer(row, meta, form, columns=VIEW_COLUMNS)

    async def _asked(self, question: Question) -> tuple[Any, bool]:
        source: Any = concurrent if question.metric.kind == "concurrent" else metrics
        if question.form == "breakdown":
            rows, more = await source.breakdown(self._desk.reader, question)
            return rows, more
        ask = source.overall if question.form == "overall" else source.timeseries
        return await ask(self._desk.reader, question), False


def _columns(question: Question) -> dict[str, str]:
    """Return the columns that a metric's rows have, also where there is no row."""
    columns = {"value": "Nullable(Float64)", question.metric.of().counted: "Nullable(Float64)"}
    group = {} if question.group_by is None else {"group": "Nullable(String)"}
    if question.form == "timeseries":
        return {"time": f"Nullable({TIME})", **group, **columns}
    return group | columns


def _form_meta(question: Question, *, more: bool) -> dict[str, Any]:
    meta: dict[str, Any] = {
        "timezone": question.zone.key,
        "interval": question.buckets.interval if question.buckets else None,
        "group_by": question.group_by.id if question.group_by else None,
    }
    if question.form == "breakdown":
        meta["more"] = more
    if question.metric.sketched(question.measurement):
        meta["relative_error"] = RELATIVE_ERROR
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
        "source": metric.source,
        "bucket": metric.bucket,
        "better": metric.better,
        "measurement": metric.allowed()[0],
        "measurements": metric.allowed(),
        "compat": metric.compat,
        "aliases": metric.aliases,
    }
