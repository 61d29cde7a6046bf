"""A request to an endpoint or to /v0/sql, watched from its beginning to its end for the service tables."""

import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from playhead.access import Grant
from playhead.clock import Clock
from playhead.errors import PlayheadError
from playhead.record.entries import PipeCall, shortened
from playhead.record.recorder import Recorder
from playhead.serve.pipes.refusal import status_of
from playhead.store.client import Answered

QUERY_API: Final = "query_api"
"""What the reference calls /v0/sql among pipes."""
CLIENT_LEFT: Final = 499
_SECRETS: Final = frozenset({"token", "password"})
_TAIL_BYTES: Final = 400


class Seen(msgspec.Struct):
    """What is learnt of a request while it is answered."""

    grant: Grant | None = None
    pipe: str = QUERY_API
    error: str = ""
    parameters: dict[str, Any] = {}
    read_rows: int = 0
    read_bytes: int = 0
    result_rows: int = 0

    def take(self, answered: Answered, format_name: str) -> None:
        """Learn what a result cost."""
        self.read_rows, self.read_bytes = answered.rows_read, answered.bytes_read
        self.result_rows = rows_in(answered.body, format_name)


async def recorded(
    recorder: Recorder | None,
    clock: Clock,
    request: Request,
    pipe: str,
    answering: Callable[[], Awaitable[Response]],
) -> Response:
    """Return what answers a request, and record how it went; errors pass through."""
    if recorder is None or request.method == "OPTIONS":
        return await answering()
    seen = request.state.seen = Seen(pipe=pipe)
    began_ms, began_s = clock.now_ms(), time.perf_counter()
    status = 500
    try:
        response = await answering()
        status = response.status_code
    except PlayheadError as error:
        status, seen.error = status_of(error), error.message
        raise
    except ClientDisconnect:
        status, seen.error = CLIENT_LEFT, "The caller left before the answer."
        raise
    finally:
        took_s = time.perf_counter() - began_s
        recorder.pipe(_call(request, seen, began_ms=began_ms, took_s=took_s, status=status))
    return response


def seen_of(request: Request) -> Seen:
    """Return what is learnt of a request; of one that is not recorded it goes nowhere."""
    found: Seen | None = getattr(request.state, "seen", None)
    return found if found is not None else Seen()


def rows_in(body: bytes, format_name: str) -> int:
    """Return how many rows a result has, as far as its form tells at once."""
    if format_name in {"JSON", "JSONCompact", "JSONStrings", "JSONCompactStrings"}:
        _, mark, tail = body[-_TAIL_BYTES:].rpartition(b'"rows":')
        digits = tail.lstrip().partition(b",")[0].strip()
        return int(digits) if mark and digits.isdigit() else 0
    if format_name.endswith("EachRow") or format_name in {"CSV", "TSV", "TabSeparated"}:
        return body.count(b"\n")
    if format_name.endswith("WithNames"):
        return max(0, body.count(b"\n") - 1)
    return 0


def _call(request: Request, seen: Seen, *, began_ms: int, took_s: float, status: int) -> PipeCall:
    grant = seen.grant
    parameters = seen.parameters or dict(request.query_params.multi_items())
    return PipeCall(
        pipe=seen.pipe,
        workspace=getattr(grant, "workspace", ""),
        began_ms=began_ms,
        duration_s=took_s,
        status=status,
        token_name=grant.name if grant is not None else "",
        method=request.method,
        url=_address(request),
        error=seen.error,
        parameters=shortened(
            (name, value) for name, value in parameters.items() if name not in _SECRETS
        ),
        user_agent=request.headers.get("user-agent", ""),
        request_id=secrets.token_hex(8),
        read_rows=seen.read_rows,
        read_bytes=seen.read_bytes,
        result_rows=seen.result_rows,
    )


def _address(request: Request) -> str:
    """Return the address asked, without secrets."""
    query = request.scope["query_string"].decode("latin-1")
    if "token" in query or "password" in query or "%" in query:
        pairs = parse_qsl(query, keep_blank_values=True)
        query = urlencode([(name, value) for name, value in pairs if name not in _SECRETS])
    path = str(request.scope["path"])
    return f"{path}?{query}" if query else path
