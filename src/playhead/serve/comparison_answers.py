"""The endpoints that hold a metric's values beside each other."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from playhead.query import compare, histogram
from playhead.query.catalogue import RELATIVE_ERROR
from playhead.query.compare import CompareQuestion
from playhead.query.rollup import relative_error
from playhead.query.span import iso
from playhead.serve.answer import answer, form_of, values_of
from playhead.serve.desk import Desk, while_connected

NUMBER: Final = "Nullable(Float64)"
"""What these columns are in Parquet, also where no row has a number in them."""


class ComparisonAnswers:
    """A metric by bucket of value, and a metric beside itself."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def histogram(self, request: Request) -> Response:
        """`GET /v1/metrics/{id}/histogram`: how many rows lie in which bucket of value."""
        grant = self._desk.admission.reader(request)
        form = form_of(request)
        metric = self._desk.catalogue.metric(request.path_params["metric"])
        question = histogram.histogram_question_of(
            metric, values_of(request), self._desk.asking(grant)
        )
        spread = await while_connected(request, histogram.histogram(self._desk.reader, question))
        asked = question.asked
        meta = await self._desk.meta(asked.span, metric=metric)
        meta |= {
            "timezone": asked.zone.key,
            "group_by": asked.group_by.id if asked.group_by else None,
            "steps": question.steps,
            "summaries": spread.summaries,
        }
        if metric.source != "views":
            meta["relative_error"] = RELATIVE_ERROR
        columns = dict.fromkeys(("from", "to", metric.of().counted, "percentage"), NUMBER)
        return answer(spread.rows, meta, form, columns=columns)

    async def compare(self, request: Request) -> Response:
        """`GET /v1/compare`: a metric over two periods, or for several values of a dimension."""
        grant = self._desk.admission.reader(request)
        form = form_of(request)
        question = compare.compare_question_of(values_of(request), self._desk.asking(grant))
        rows = await while_connected(request, compare.compare(self._desk.reader, question))
        asked, compared = question.asked, question.compared
        meta = await self._desk.meta(asked.span, metric=asked.metric, measurement=asked.measurement)
        meta |= {
            "timezone": asked.zone.key,
            "interval": asked.buckets.interval if asked.buckets else None,
            "group_by": asked.group_by.id if asked.group_by else None,
            "compare_from": iso(compared.span.from_ms) if compared else None,
            "compare_to": iso(compared.span.to_ms) if compared else None,
            "test": "two_proportion_z" if question.tested else None,
        }
        if error := await self._relative_error(question):
            meta["relative_error"] = error
        counted = asked.metric.of().counted
        columns = dict.fromkeys((*compare.NUMBERS, counted, f"compared_{counted}"), NUMBER)
        return answer(rows, meta, form, columns=columns)

    async def _relative_error(self, question: CompareQuestion) -> float:
        """Return how far a percentile of either period may be off because of a sketch, or 0."""
        asked = question.asked
        if asked.metric.sketched(asked.measurement):
            return RELATIVE_ERROR
        both = (asked,) if question.compared is None else (asked, question.compared)
        return max([await relative_error(self._desk.reader, one) for one in both])
