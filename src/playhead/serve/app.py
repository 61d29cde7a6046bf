"""The one port: the doors' addresses go to the doors, everything else to the answers."""

import traceback
from collections.abc import Callable, Mapping

from starlette.applications import Starlette
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playhead.errors import (
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    PlayheadError,
)
from playhead.observe import logger
from playhead.serve.admission import Admission
from playhead.serve.answer import failure
from playhead.serve.answers import Answers
from playhead.serve.broadcast import Broadcast
from playhead.serve.cdn_answers import CdnAnswers
from playhead.serve.comparison_answers import ComparisonAnswers
from playhead.serve.content_answers import ContentAnswers
from playhead.serve.cta_answers import CtaAnswers
from playhead.serve.dashboard import Dashboard
from playhead.serve.desk import Desk
from playhead.serve.dimension_answers import DimensionAnswers
from playhead.serve.examples import Examples
from playhead.serve.export_answers import ExportAnswers
from playhead.serve.health import Health
from playhead.serve.insight_answers import InsightAnswers
from playhead.serve.live_stream import LiveStream
from playhead.serve.pipes.datasource_answers import DatasourceAnswers
from playhead.serve.pipes.desk import PipeDesk
from playhead.serve.pipes.pipe_answers import PipeAnswers
from playhead.serve.pipes.publish_answers import PublishAnswers
from playhead.serve.pipes.query_answers import QueryAnswers
from playhead.serve.pipes.refusal import PREFIX, refusal
from playhead.serve.pipes.token_answers import TokenAnswers
from playhead.serve.quarantine import Quarantine
from playhead.serve.reference import Reference
from playhead.serve.report_answers import ReportAnswers
from playhead.serve.sdk import PREFIX as SDK_PREFIX
from playhead.serve.sdk import SHARED, sdk
from playhead.serve.services import Services
from playhead.serve.session import BrowserSession
from playhead.serve.stream_answers import StreamAnswers

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


class AnyText(PathConvertor):
    """The rest of a path, whatever it holds: a view's id may hold a line break."""

    regex = r"[\s\S]*"


register_url_convertor("any", AnyText())


def create_app(services: Services, doors: Mapping[str, ASGIApp] | None = None) -> "Port":
    """Return the application of the web process; stop it before the server.

    Args:
        services: What the answers are made from.
        doors: ASGI callables by exact path; they are called as they are, without middleware.
    """
    admission = Admission(services)
    desk = Desk(services, admission)
    answers = Answers(desk)
    cdn = CdnAnswers(desk)
    comparisons = ComparisonAnswers(desk)
    dimensions = DimensionAnswers(desk)
    streams = StreamAnswers(desk)
    exports = ExportAnswers(desk)
    limits = services.config.query
    broadcast = Broadcast(services.clock, limits, admission.holds, desk.freshness)
    live_stream = LiveStream(desk, limits, broadcast)
    browser_session = BrowserSession(admission, limits)
    pipe_desk = PipeDesk(services, admission)
    health = Health(services, admission, pipe_desk.project)
    quarantine = Quarantine(services, desk)
    pipes = PipeAnswers(pipe_desk, PublishAnswers(pipe_desk, services))
    examples = Examples(services.config)
    routes = [
        # The first that fits is taken: what is asked most often comes first.
        *pipes.routes(),
        *QueryAnswers(pipe_desk).routes(),
        *pipes.last_routes(),
        *DatasourceAnswers(pipe_desk, services.store).routes(),
        *Reference(services.config).routes(),
        *Dashboard().routes(),
        Route("/sdk/{file:path}", sdk),
        Route("/examples", examples.index),
        Route("/examples/{file:path}", examples.file),
        Route("/healthz", health.alive),
        Route("/readyz", health.ready),
        Route("/metrics", health.prometheus),
        Route("/v1/status", health.status),
        Route("/v1/metrics", answers.catalogue),
        Route("/v1/metrics/{metric}/histogram", comparisons.histogram),
        Route("/v1/metrics/{metric}/{form}", answers.metric),
        Route("/v1/compare", comparisons.compare),
        Route("/v1/dimensions", dimensions.dimensions),
        Route("/v1/dimensions/{dimension}", dimensions.values),
        Route("/v1/live", answers.live),
        Route("/v1/live/stream", live_stream.stream),
        Route("/v1/session", browser_session.session, methods=["GET", "POST", "DELETE"]),
        Route("/v1/views", answers.views),
        Route("/v1/views/export", exports.views),
        Route("/v1/views/{view_id:any}/p1203", exports.p1203),
        Route("/v1/views/{view_id:any}", answers.view),
        Route("/v1/cdn/kpis", cdn.kpis),
        Route("/v1/cdn/views", cdn.views),
        Route("/v1/insights", InsightAnswers(desk).insights),
        Route("/v1/retention/{video_id:any}", ContentAnswers(desk).retention),
        Route("/v1/report", ReportAnswers(desk).report),
        Route("/v1/reports/cta2066", CtaAnswers(desk).report),
        Route("/v1/streams", streams.streams),
        Route("/v1/streams/{stream_id:any}", streams.stream),
        Route("/v1/quarantine", quarantine.rows),
        Route("/v1/quarantine/reasons", quarantine.reasons),
        Route("/v1/quarantine/retry", quarantine.retry, methods=["POST"]),
        *TokenAnswers(services, admission).routes(),
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
    return Port(app, doors or {}, broadcast.stop)


class Port:
    """Sends a request to its door or to the answers."""

    def __init__(
        self, answers: ASGIApp, doors: Mapping[str, ASGIApp], stop: Callable[[], None]
    ) -> None:
        self._answers = answers
        self._doors = dict(doors)
        self.stop = stop
        """Ends the answers that have no end of their own, so that the server can stop."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            door = self._doors.get(_path_of(scope))
            if door is not None:
                await door(scope, receive, send)
                return
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
