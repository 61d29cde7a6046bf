"""The endpoint about what drags the metrics."""

from starlette.requests import Request
from starlette.responses import Response

from playhead.query import insights as query
from playhead.serve.answer import answer, form_of, values_of
from playhead.serve.desk import Desk, while_connected


class InsightAnswers:
    """Values of dimensions by what the metrics would be without them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def insights(self, request: Request) -> Response:
        """`GET /v1/insights`: what drags the metrics, the worst first."""
        grant = self._desk.admission.reader(request)
        form = form_of(request)
        question = query.insights_question_of(values_of(request), self._desk.asking(grant))
        found = await while_connected(request, query.insights(self._desk.reader, question))
        meta = await self._desk.meta(question.span)
        meta |= {
            "metrics": [metric.id for metric, _ in question.metrics],
            "dimensions": [dimension.id for dimension in question.dimensions],
            "min_views": question.min_views,
            "pairs": question.pairs,
            "noise": question.noise,
            "sample": found.sample,
            "more": found.more,
        }
        return answer(found.rows, meta, form)
