"""The endpoints about streams of encoders."""

from starlette.requests import Request
from starlette.responses import Response

from playhead.query import streams as query
from playhead.serve.answer import answer, form_of, values_of
from playhead.serve.desk import Desk, while_connected


class StreamAnswers:
    """Streams, and one stream second by second."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def streams(self, request: Request) -> Response:
        """`GET /v1/streams`: the streams seen in a span."""
        grant = self._desk.admission.reader(request)
        form = form_of(request)
        question = query.streams_question_of(values_of(request), self._desk.asking(grant))
        rows, more = await while_connected(request, query.streams(self._desk.reader, question))
        return answer(rows, await self._desk.meta(question.span) | {"more": more}, form)

    async def stream(self, request: Request) -> Response:
        """`GET /v1/streams/{id}`: one stream, a row a second."""
        grant = self._desk.admission.reader(request)
        form = form_of(request)
        stream_id = request.path_params["stream_id"]
        asking = self._desk.asking(grant)
        question = query.stream_question_of(stream_id, values_of(request), asking)
        summary, rows = await while_connected(request, query.stream(self._desk.reader, question))
        meta = await self._desk.meta(question.span)
        meta |= {
            "interval": question.buckets.interval if question.buckets else None,
            "stream": summary,
        }
        return answer(rows, meta, form)
