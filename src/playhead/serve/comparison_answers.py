"""The endpoints that hold a metric's values beside each other."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from playhead.errors import InvalidRequest
from playhead.query import compare, histogram
from playhead.query.catalogue import RELATIVE_ERROR
from playhead.query.compare import CompareQuestion
from playhead.query.rollup import relative_error
from playhead.query.span import iso
from playhead.serve.answer import Form, answer, form_of, values_of
from playhead.serve.desk import Desk, while_connected

NUMBER: Final = "Nullable(Float64)"
"""What these columns are in Parquet, also where no row has a number in them."""
TEXT: Final = "Nullable(String)"
METRICS_MAX: Final = 12
"""Metrics that are compared in one answer."""
METRICS_AT_ONCE: Final = 3


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
        values, asking = values_of(request), self._desk.asking(grant)
        names = values.get("metric", [])
        if len(names) > 1:
            each = [values | {"metric": [name]} for name in dict.fromkeys(names)]
            questions = [compare.compare_question_of(one, asking) for one in each]
            return await self._compare_several(request, form, questions, values)
        question = compare.compare_question_of(values, asking)
        rows = await while_connected(request, compare.compare(self._desk.reader, question))
        asked = question.asked
        meta = await self._desk.meta(asked.span, metric=asked.metric, measurement=asked.measurement)
        meta |= _periods(question) | {"test": _test(question)}
        if error := await self._relative_error(question):
            meta["relative_error"] = error
        return answer(rows, meta, form, columns=_columns(question))

    async def _compare_several(
        self,
        request: Request,
        form: Form,
        questions: Sequence[CompareQuestion],
        values: dict[str, list[str]],
    ) -> Response:
        """Answer one question about each of several metrics; rows say which one they are of."""
        if len(questions) > METRICS_MAX:
            raise InvalidRequest(f"More than {METRICS_MAX} metrics.", hint="Ask twice.")
        if "measurement" in values:
            hint = "Leave it out: each metric is measured in its own way."
            raise InvalidRequest("'measurement' is of one metric.", hint=hint)
        if len({one.asked.metric.source for one in questions}) > 1:
            hint = "GET /v1/metrics says what each is made from."
            raise InvalidRequest("These metrics are made from different rows.", hint=hint)
        found = await while_connected(request, self._each(questions))
        first = questions[0]
        meta = await self._desk.meta(first.asked.span) | _periods(first)
        meta["metrics"] = [await self._described(one) for one in questions]
        rows = [
            {"metric": one.asked.metric.id, **row}
            for one, part in zip(questions, found, strict=True)
            for row in part
        ]
        return answer(rows, meta, form, columns={"metric": TEXT, **_columns(first)})

    async def _each(self, questions: Sequence[CompareQuestion]) -> list[list[dict[str, Any]]]:
        """Ask a few at a time: one request must not take the store's queries from all others."""
        room = asyncio.Semaphore(METRICS_AT_ONCE)

        async def asked(question: CompareQuestion) -> list[dict[str, Any]]:
            async with room:
                return await compare.compare(self._desk.reader, question)

        return await asyncio.gather(*map(asked, questions))

    async def _described(self, question: CompareQuestion) -> dict[str, Any]:
        """Return what stands in `meta` of one metric alone."""
        metric, measurement = question.asked.metric, question.asked.measurement
        said = {
            "metric": metric.id,
            "unit": metric.unit_of(measurement),
            "measurement": measurement,
            "test": _test(question),
        }
        error = await self._relative_error(question)
        return said | ({"relative_error": error} if error else {})

    async def _relative_error(self, question: CompareQuestion) -> float:
        """Return how far a percentile of either period may be off because of a sketch, or 0."""
        asked = question.asked
        if asked.metric.sketched(asked.measurement):
            return RELATIVE_ERROR
        both = (asked,) if question.compared is None else (asked, question.compared)
        return max([await relative_error(self._desk.reader, one) for one in both])


def _periods(question: CompareQuestion) -> dict[str, Any]:
    asked, compared = question.asked, question.compared
    return {
        "timezone": asked.zone.key,
        "interval": asked.buckets.interval if asked.buckets else None,
        "group_by": asked.group_by.id if asked.group_by else None,
        "compare_from": iso(compared.span.from_ms) if compared else None,
        "compare_to": iso(compared.span.to_ms) if compared else None,
    }


def _test(question: CompareQuestion) -> str | None:
    return "two_proportion_z" if question.tested else None


def _columns(question: CompareQuestion) -> dict[str, str]:
    counted = question.asked.metric.of().counted
    return dict.fromkeys((*compare.NUMBERS, counted, f"compared_{counted}"), NUMBER)
