"""What a project answers, without a server: the same code, text and status as over HTTP."""

from typing import Final

import msgspec

from playhead.clock import Clock
from playhead.config import Config
from playhead.errors import PlayheadError, QueryRefused
from playhead.project.case import TABLE, Request
from playhead.project.comparison import printed
from playhead.project.resources import Project
from playhead.query.pipes.formats import FORMS, output_settings
from playhead.query.pipes.refused import custom, with_hint
from playhead.query.pipes.resolve import Prepared, Resolver
from playhead.query.pipes.run import Running, Runs
from playhead.store.async_client import AsyncStoreClient
from playhead.store.result import rows_of
from playhead.template.rendering import CustomRefusal, Inputs

OK: Final = 200
ROWS: Final = "JSONCompact"


class Answer(msgspec.Struct, frozen=True):
    """A status and the text of the body."""

    status: int
    text: str


class Desk:
    """Answers requests of tests about one project that was built."""

    def __init__(
        self,
        project: Project,
        resolver: Resolver,
        store: AsyncStoreClient,
        config: Config,
        clock: Clock,
    ) -> None:
        self._project = project
        self._resolver = resolver
        self._runs = Runs(store, config, clock)

    async def answer(self, request: Request) -> Answer:
        """Return what the server would answer; errors are answers too."""
        try:
            prepared = await self._prepared(request)
            return Answer(OK, await self._text(prepared, request.format))
        except CustomRefusal as refusal:
            status, body = custom(refusal)
            return Answer(status, msgspec.json.encode(body).decode())
        except QueryRefused as error:
            return _refused(with_hint(error))
        except PlayheadError as error:
            return _refused(error)

    async def _prepared(self, request: Request) -> Prepared:
        inputs = Inputs(params=request.parameters)
        if not request.pipe:
            return await self._resolver.sql(request.sql, inputs, pipeline=request.pipeline or None)
        pipe = self._resolver.namespace.known(request.pipe)
        if pipe.endpoint is not None:
            return await self._resolver.endpoint(pipe.name, inputs, q=request.sql or None)
        # What is no endpoint is tested by its last node's SQL, which may name the nodes before.
        node = pipe.nodes[-1]
        text = f"%{node.sql}" if node.template else node.sql
        return await self._resolver.sql(text, inputs, pipeline=pipe.name)

    async def _text(self, prepared: Prepared, form: str) -> str:
        name = ROWS if form == TABLE else FORMS.get(form, form)
        if prepared.format is not None and form != TABLE:
            name = prepared.format
        running = Running(format=name, output=output_settings({}), single_thread=True)
        answered = await self._runs.answer(prepared, running)
        if form == TABLE:
            rows = rows_of(answered.body)
            return printed(rows.columns, rows.rows)
        return answered.body.decode("utf-8", "replace")


def _refused(error: PlayheadError) -> Answer:
    return Answer(error.status, msgspec.json.encode({"error": error.message}).decode())
