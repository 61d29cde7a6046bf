"""The endpoint of the CTA-2066 report."""

from starlette.requests import Request
from starlette.responses import Response

from playhead.query import cta2066
from playhead.serve.answer import answer, form_of, values_of
from playhead.serve.desk import Desk, while_connected


class CtaAnswers:
    """The aggregates of CTA-2066, in its own names."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def report(self, request: Request) -> Response:
        """`GET /v1/reports/cta2066`: the standard's aggregates of the sessions of a span."""
        grant = self._desk.admission.reader(request)
        form = form_of(request)
        question = cta2066.cta2066_question_of(values_of(request), self._desk.asking(grant))
        rows, more = await while_connected(request, cta2066.report(self._desk.reader, question))
        meta = await self._desk.meta(question.span)
        meta |= {
            "group_by": question.group_by.id if question.group_by else None,
            "units": cta2066.UNITS,
            "more": more,
        }
        return answer(rows, meta, form)
