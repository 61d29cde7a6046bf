"""The endpoints about what viewers watch of a title."""

from starlette.requests import Request
from starlette.responses import Response

from playhead.query import retention as query
from playhead.serve.answer import answer, form_of, values_of
from playhead.serve.desk import Desk, while_connected


class ContentAnswers:
    """A title, second by second."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def retention(self, request: Request) -> Response:
        """`GET /v1/retention/{video_id}`: who watched which second, a row a second."""
        grant = self._desk.admission.reader(request)
        form = form_of(request)
        video_id = request.path_params["video_id"]
        asking = self._desk.asking(grant)
        question = query.retention_question_of(video_id, values_of(request), asking)
        asked = query.retention(self._desk.reader, question)
        rows, summary = await while_connected(request, asked)
        meta = await self._desk.meta(question.span)
        meta |= {"video_id": video_id, "retention": summary}
        meta["provisional"] = meta["provisional"] or summary["open_views"] > 0
        return answer(rows, meta, form)
