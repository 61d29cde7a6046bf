"""What every answer of pipes and SQL needs, once: the project, who asks, how queries run."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from playhead.access import Grant
from playhead.errors import Forbidden, NotFound, QueryRefused, RateLimited
from playhead.project.resources import Pipe
from playhead.query.pipes.formats import media_of
from playhead.query.pipes.live import Live
from playhead.query.pipes.refused import custom, with_hint
from playhead.query.pipes.resolve import Prepared
from playhead.query.pipes.run import Running, Runs
from playhead.query.pipes.workspace import NAME_CHARS_SHOWN
from playhead.serve.admission import Admission
from playhead.serve.desk import while_connected
from playhead.serve.pipes.reading import Reading
from playhead.serve.pipes.recording import seen_of
from playhead.serve.pipes.refusal import refusal
from playhead.serve.pipes.turns import Turns
from playhead.serve.services import Services
from playhead.serve.workspaces import Home
from playhead.store.client import Answered
from playhead.template.rendering import CustomRefusal

Handler = Callable[[Request, Reading], Awaitable[Response]]
DEPLOYMENT: Final = "__tb__deployment"
"""The parameter that names the deployment which is to answer."""
_ANYWHERE: Final = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "retry-after, x-ratelimit-limit, x-ratelimit-remaining, "
    "x-ratelimit-reset, x-db-statistics",
}
"""Pages of other origins may ask: what admits them is a token they hold, never a cookie."""
_PREFLIGHT: Final = {
    **_ANYWHERE,
    "access-control-allow-methods": "GET, POST, OPTIONS",
    "access-control-allow-headers": "authorization, content-type",
    "access-control-max-age": "600",
}


class Question(msgspec.Struct, frozen=True):
    """A query on its way to the store."""

    request: Request
    reading: Reading
    live: Live
    prepared: Prepared
    output: dict[str, str]
    """The engine's settings for its output."""


class PipeDesk:
    """Admits a request, answers it, and says in its headers what the token has left."""

    def __init__(self, services: Services, admission: Admission) -> None:
        self.config = services.config
        self.workspaces = services.homes()
        self.project = self.workspaces.main.project
        self._runs = Runs(services.store, services.config, services.clock)
        self._turns = Turns(services.config)
        self._admission = admission

    def forget_answers(self) -> None:
        """Forget the answers that are kept: rows they were made of were deleted."""
        self._runs.forget_answers()

    async def answer(self, request: Request, handler: Handler) -> Response:
        """Return the answer of a handler for whoever asks; a refusal of a template in its own words.

        Raises:
            PlayheadError: What the handler raises, and what `Admission.holder` raises.
        """
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=_PREFLIGHT)
        grant = self._admission.holder(request).grant
        seen = seen_of(request)
        seen.grant = grant
        request.state.home = self.workspaces.of(grant.workspace)
        try:
            response = await handler(request, Reading(grant))
        except CustomRefusal as error:
            seen.error = error.message
            response = _custom(error)
        except (QueryRefused, RateLimited) as error:
            seen.error = error.message
            response = refusal(with_hint(error) if isinstance(error, QueryRefused) else error)
        response.headers.update({**_ANYWHERE, **self._rate(grant)})
        return response

    def home(self, request: Request) -> Home:
        """Return the workspace of whoever asks, once `answer` has admitted the request."""
        home: Home = request.state.home
        return home

    async def live(self, request: Request) -> Live:
        """Return the project that a request is about: as it is served now, or what is staged.

        Raises:
            NotFound: The deployment that it names is neither.
        """
        wanted = request.query_params.get(DEPLOYMENT, "")
        home = self.home(request)
        live = await home.project.current()
        if wanted in ("", "live") or wanted == live.deployment:
            return live
        staged = await home.staging.newest()
        if staged.deployment and wanted in ("staging", staged.deployment):
            return staged
        raise NotFound(
            f"There is no deployment '{wanted[:NAME_CHARS_SHOWN]}' to ask.",
            hint="GET /v1/deployments lists them; only the live and the staged one answer.",
        )

    async def run(self, question: Question, format_name: str) -> Answered:
        """Return the result of a query for whoever asks, who may leave; raises as `Runs.answer`."""
        live, prepared = question.live, question.prepared
        filters = {
            table: condition
            for name, condition in question.reading.conditions().items()
            if (table := live.workspace.stored_name(name)) in prepared.tables
        }
        running = Running(
            format=format_name,
            filters=filters,
            hidden=bool(question.reading.grant.pipe_filters()),
            output=question.output,
            single_thread=live.workspace.test,
            version=live.version,
        )
        turn = self._turns.of(question.reading.grant.id)
        answering = self._runs.answer(prepared, running, turn=turn)
        return await while_connected(question.request, answering)

    def _rate(self, grant: Grant) -> dict[str, str]:
        found = self._admission.allowance(grant)
        if found is None:
            return {}
        limit, remaining, reset_s = found
        return {
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-remaining": str(remaining),
            "x-ratelimit-reset": str(reset_s),
        }


def result(answered: Answered, format_name: str) -> Response:
    """Return a result as it goes out."""
    statistics = {
        "elapsed": answered.elapsed_s,
        "rows_read": answered.rows_read,
        "bytes_read": answered.bytes_read,
    }
    headers = {
        "cache-control": "private, no-store",
        "content-type": media_of(format_name),
        "x-db-statistics": msgspec.json.encode(statistics).decode(),
    }
    return Response(answered.body, headers=headers)


def readable_pipe(live: Live, name: str, reading: Reading) -> Pipe:
    """Return a pipe by its name.

    Raises:
        NotFound: There is none.
        Forbidden: Not for this token.
    """
    pipe = live.resolver.namespace.known(name)
    if not reading.pipe(pipe.name):
        raise Forbidden(
            f"This token may not read the pipe '{name}'.",
            hint=f"Use a token with the scope PIPES:READ:{pipe.name}.",
        )
    return pipe


def document(data: Any, status: int = 200) -> Response:
    """Return data as JSON."""
    headers = {"cache-control": "private, no-store"}
    body = msgspec.json.encode(data)
    return Response(body, status_code=status, media_type="application/json", headers=headers)


def _custom(error: CustomRefusal) -> Response:
    """Return what `custom_error` of a template says."""
    status, answer = custom(error)
    return document(answer, status)
