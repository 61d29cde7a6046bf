"""The one port: the doors' addresses go to the doors, everything else to the answers."""

import traceback
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playhead.errors import (
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    PlayheadError,
)
from playhead.observe import logger
from playhead.query.readiness import make_ready
from playhead.serve.admission import Admission
from playhead.serve.answer import failure
from playhead.serve.broadcast import Broadcast
from playhead.serve.clickhouse.answers import PATH as CLICKHOUSE_PATH
from playhead.serve.clickhouse.answers import is_statement
from playhead.serve.desk import Desk
from playhead.serve.mcp.answers import McpAnswers
from playhead.serve.measure_routes import measure_routes
from playhead.serve.pipes.desk import PipeDesk
from playhead.serve.pipes.refusal import PREFIX, refusal
from playhead.serve.project_routes import project_routes
from playhead.serve.sdk import PREFIX as SDK_PREFIX
from playhead.serve.sdk import SHARED
from playhead.serve.server_routes import page_routes, server_routes
from playhead.serve.services import Services
from playhead.serve.viewer_answers import ViewerAnswers
from playhead.serve.watch.watchdog import Watchdog

_LOG = logger("serve")
_SECURITY = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
)
_CLIENT_LEFT = 499
"""Nobody reads it; it keeps a caller who left from looking like a fault of ours."""
_CLOSED_POLICY = "default-src 'none'; frame-ancestors 'none'"


def create_app(services: Services, doors: Mapping[str, ASGIApp] | None = None) -> "Port":
    """Return the application of the web process; stop it before the server.

    Args:
        services: What the answers are made from.
        doors: ASGI callables by exact path; they are called as they are, without middleware.
    """
    admission = Admission(services)
    desk = Desk(services, admission)
    limits = services.config.query
    broadcast = Broadcast(services.clock, limits, admission.holds, desk.freshness)
    pipe_desk = PipeDesk(services, admission)
    mcp = McpAnswers(pipe_desk, services, admission)
    watchdog = Watchdog(services)

    def forget_answers() -> None:
        desk.reader.forget_answers()
        pipe_desk.forget_answers()

    routes = [
        # The first that fits is taken: what is asked most often comes first.
        *project_routes(pipe_desk, services, admission),
        *mcp.routes(),
        *page_routes(services.config),
        *measure_routes(desk, services, broadcast),
        *server_routes(services, admission, pipe_desk.project, watchdog),
        *ViewerAnswers(services, admission, forget_answers).routes(),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guarded, limit_bytes=services.config.query.max_parameter_bytes)],
        exception_handlers={
            PlayheadError: _on_error,
            HTTPException: _on_http,
            ClientDisconnect: _on_leave,
        },
    )
    app.state.reader = desk.reader

    def stop() -> None:
        broadcast.stop()
        mcp.stop()

    return Port(app, doors or {}, stop, lambda: make_ready(desk.reader), watchdog.run)


class Port:
    """Sends a request to its door or to the answers."""

    def __init__(
        self,
        answers: ASGIApp,
        doors: Mapping[str, ASGIApp],
        stop: Callable[[], None],
        make_ready: Callable[[], Coroutine[Any, Any, None]],
        watch: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self._answers = answers
        self._doors = dict(doors)
        self.stop = stop
        """Ends the answers that have no end of their own, so that the server can stop."""
        self.make_ready = make_ready
        """Does beforehand what the first answer would wait for."""
        self.watch = watch
        """Looks after the server until cancelled: what it finds is at `/v1/status` and `/metrics`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            path = _path_of(scope)
            door = self._doors.get(path)
            if door is not None:
                await door(scope, receive, send)
                return
            if path == "/" and is_statement(scope):
                scope = {**scope, "path": f"{scope.get('root_path', '')}{CLICKHOUSE_PATH}"}
        await self._answers(scope, receive, send)


class Guarded:
    """Adds the security headers, refuses parameters longer than the limit, answers surprises."""

    def __init__(self, app: ASGIApp, limit_bytes: int) -> None:
        self._app = app
        self._limit_bytes = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in _security(scope):
                    headers[name] = value
                headers.setdefault("content-security-policy", _CLOSED_POLICY)
            await send(message)

        if len(scope.get("query_string", b"")) > self._limit_bytes:
            error = InvalidRequest(f"The parameters are longer than {self._limit_bytes} bytes.")
            await _failure(scope, error)(scope, receive, guarded)
            return
        try:
            await self._app(scope, receive, guarded)
        except Exception as error:  # noqa: BLE001 (a fault of one answer must not end more than it)
            # The trace without its locals: they hold the request, and the request its token.
            _LOG.error("answer_broke", trace="".join(traceback.format_exception(error)))
            if not started:
                await _failure(scope, PlayheadError())(scope, receive, guarded)


def _path_of(scope: Scope) -> str:
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


def _security(scope: Scope) -> tuple[tuple[str, str], ...]:
    """Return the headers that guard an answer; pages of other sites may load the SDK."""
    return (*_SECURITY, SHARED) if _path_of(scope).startswith(SDK_PREFIX) else _SECURITY


def _failure(scope: Scope, error: PlayheadError) -> Response:
    """Return an error in the words of the part of the API that was asked."""
    return refusal(error) if _path_of(scope).startswith(PREFIX) else failure(error)


async def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, PlayheadError)  # noqa: S101 (registered for this class)
    if error.status >= 500 and error.status != 503:
        _LOG.error("answer_failed", code=error.code, reason=error.message)
    return _failure(request.scope, error)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for this class)
    if error.status_code == 404:
        return _failure(request.scope, NotFound())
    if error.status_code == 405:
        response = _failure(request.scope, MethodNotAllowed())
        response.headers.update(error.headers or {})
        return response
    return _failure(request.scope, InvalidRequest())


async def _on_leave(_: Request, __: Exception) -> Response:
    return Response(status_code=_CLIENT_LEFT)
