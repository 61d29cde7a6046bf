"""The endpoints about dimensions."""

from starlette.requests import Request
from starlette.responses import Response

from playhead.query import dimension as query
from playhead.serve.answer import answer, form_of, values_of
from playhead.serve.comparison_answers import NUMBER
from playhead.serve.desk import Desk, while_connected


class DimensionAnswers:
    """Which dimensions there are, and which values of one."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def dimensions(self, request: Request) -> Response:
        """`GET /v1/dimensions`: every dimension, and the custom keys of a span."""
        grant = self._desk.admission.reader(request)
        form = form_of(request)
        question = query.dimensions_question_of(values_of(request), self._desk.asking(grant))
        rows, more = await while_connected(request, query.dimensions(self._desk.reader, question))
        meta = await self._desk.meta(question.span) | {"more": more}
        return answer(rows, meta, form, columns={"views": NUMBER})

    async def values(self, request: Request) -> Response:
        """`GET /v1/dimensions/{id}`: the values of one, most rows first."""
        grant = self._desk.admission.reader(request)
        form = form_of(request)
        name = request.path_params["dimension"]
        question = query.values_question_of(name, values_of(request), self._desk.asking(grant))
        rows, more = await while_connected(request, query.values(self._desk.reader, question))
        meta = await self._desk.meta(question.span)
        meta |= {"dimension": name, "source": question.of().name, "more": more}
        columns = {"value": "Nullable(String)", question.of().counted: NUMBER}
        return answer(rows, meta, form, columns=columns)
