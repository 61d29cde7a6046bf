"""The endpoint of the report: JSON, rows, or a page."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from playhead.query import report as query
from playhead.query.span import iso
from playhead.serve.answer import answer, form_of, values_of
from playhead.serve.desk import Desk, while_connected
from playhead.serve.report_page import page, policy

HTML = "html"


class ReportAnswers:
    """The eight KPIs of a video platform in one answer."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def report(self, request: Request) -> Response:
        """`GET /v1/report`."""
        grant = self._desk.admission.reader(request)
        as_page = _wants_page(request)
        form = "json" if as_page else form_of(request)
        question = query.report_question_of(values_of(request), self._desk.asking(grant))
        data = await while_connected(request, query.report(self._desk.reader, question))
        meta = await self._desk.meta(question.asked.span)
        meta |= {
            "interval": question.asked.buckets.interval,
            "timezone": question.zone.key,
            "previous": {
                "from": iso(question.previous.from_ms),
                "to": iso(question.previous.to_ms),
            },
            "filters": list(question.filters),
            "video_id": question.video_id,
            "limit": question.asked.limit,
        }
        if as_page:
            headers = {
                "content-security-policy": policy(),
                "cache-control": "private, no-store",
                "vary": "accept, authorization",
            }
            return HTMLResponse(page(data, meta), headers=headers)
        return answer(data if form == "json" else query.flat(data["kpis"]), meta, form)


def _wants_page(request: Request) -> bool:
    """Return whether a page is asked for: by `format=html`, or by a browser that names no format."""
    asked = request.query_params.get("format")
    if asked:
        return asked == HTML
    accepted = request.headers.get("accept", "").split(",")
    return accepted[0].partition(";")[0].strip().lower() == "text/html"
