"""The endpoints about CDN requests."""

from starlette.requests import Request
from starlette.responses import Response

from playhead.query import cdn, delivery
from playhead.serve.answer import answer, form_of, values_of
from playhead.serve.desk import Desk, while_connected


class CdnAnswers:
    """KPIs of CDN requests, and views by what served them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def kpis(self, request: Request) -> Response:
        """`GET /v1/cdn/kpis`: KPIs a minute, owner, pop and CDN."""
        grant = self._desk.admission.reader(request)
        form = form_of(request)
        question = cdn.kpi_question_of(values_of(request), self._desk.asking(grant))
        rows, more = await while_connected(request, cdn.kpis(self._desk.reader, question))
        meta = await self._desk.meta(question.span)
        meta |= {
            "interval": question.buckets.interval,
            "timezone": question.zone.key,
            "group_by": [one.id for one in question.group_by],
            "more": more,
        }
        return answer(rows, meta, form)

    async def views(self, request: Request) -> Response:
        """`GET /v1/cdn/views`: how views fared, by what served most of their bytes."""
        grant = self._desk.admission.reader(request)
        form = form_of(request)
        question = delivery.delivery_question_of(values_of(request), self._desk.asking(grant))
        asked = delivery.breakdown(self._desk.reader, question)
        rows, more = await while_connected(request, asked)
        meta = await self._desk.meta(question.span)
        meta |= {"group_by": question.group_by.id, "more": more}
        return answer(rows, meta, form)
