"""One connection: uvicorn's HTTP protocol, with limits on what a stranger may do to it.

uvicorn reads a head of any length for as long as it takes and keeps a connection that says nothing
or takes nothing. Here a head has a size and a time, an answer that nobody takes ends, connections
are counted, and what is refused before there is a request is told as everything else is: in JSON,
with a code, a sentence and what to do.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Final, cast

import msgspec
import uvicorn
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from playhead.config import Limits
from playhead.errors import (
    BodyTimeout,
    HeadTooLarge,
    InvalidRequest,
    PlayheadError,
    RateLimited,
    Unavailable,
)
from playhead.runtime.connections import REFUSED, Connections

REFUSED_HEAD_S: Final = 2.0
"""A connection that is one too many has this long to send its head."""
LINGER_S: Final = 2.0
"""A client that still sends has this long to read why it is refused; a reset would erase it."""
_encode = msgspec.json.Encoder().encode


class ServerConfig(uvicorn.Config):
    """uvicorn's settings, and what the connections share."""

    def __init__(self, app: Any, *, connections: Connections, limits: Limits, **rest: Any) -> None:
        super().__init__(app, http=Connection, **rest)
        self.shared_connections = connections
        self.limits = limits


class Connection(HttpToolsProtocol):
    """One connection of a client."""

    def __init__(self, config: uvicorn.Config, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        assert isinstance(config, ServerConfig)  # noqa: S101 (made by nobody else)
        self._limits = config.limits
        self._all = config.shared_connections
        self._peer: str | None = None
        self._head_s = config.limits.header_timeout_ms / 1_000
        self._head_bytes = 0
        self._seen_bytes = 0
        """Bytes since the last whole request: no head among them is larger."""
        self._unsent_bytes = 0
        self._is_ended = False
        self._fault: PlayheadError | None = None
        self._head_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection; one too many is answered so, whatever it asks."""
        super().connection_made(transport)
        self._peer = self.client[0] if self.client else ""
        error = self._all.enter(self._peer)
        if error is not None:
            if self._all.is_overfull():
                transport.abort()
                return
            self._head_s = min(self._head_s, REFUSED_HEAD_S)
            self.app = _refusing(error)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it no more."""
        if self._peer is not None:
            self._all.leave(self._peer)
            self._peer = None
        self._is_ended = True
        self._stop_head_timer()
        self._stop_stall_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a head must come whole within its size and time."""
        if self._is_ended:
            return
        was_in_head = self._is_in_head()
        self._seen_bytes += len(data)
        super().data_received(data)
        if self._is_ended or self.transport.is_closing():
            return
        if self._is_busy():
            self._head_bytes = self._seen_bytes = 0
            self._stop_head_timer()
            return
        if self._is_in_head():
            self._head_bytes = self._head_bytes + len(data) if was_in_head else self._head_size()
            if self._head_bytes > self._limits.max_header_bytes:
                self._refuse(self._too_large(), "head_too_large")
                return
        self._start_head_timer()

    def on_headers_complete(self) -> None:
        """Look at a head as a whole before anybody answers it."""
        may_be_large = self._seen_bytes > self._limits.max_header_bytes
        if len(self.headers) > self._limits.max_headers or (
            may_be_large and self._head_size() > self._limits.max_header_bytes
        ):
            self._fault = self._too_large()
            raise ValueError(self._fault.message)  # the parser stops, and `send_400_response` tells
        super().on_headers_complete()
        self.cycle.transport = cast("asyncio.Transport", _Gently(self))
        if self._all.is_crowded():
            self.cycle.keep_alive = False

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be read as a request."""
        if self._fault is not None:
            self._refuse(self._fault, "head_too_large")
        else:
            self._refuse(InvalidRequest(f"This is no HTTP request: {msg}"), "unreadable")

    def pause_writing(self) -> None:
        """Look, from now on, whether the client takes anything at all."""
        super().pause_writing()
        self._watch_writing()

    def resume_writing(self) -> None:
        """It does; one that is closing is looked at until it has taken all."""
        if not self.transport.is_closing():
            self._stop_stall_timer()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """End an idle connection; one that still takes its last answer may take all of it."""
        super().timeout_keep_alive_handler()
        self._watch_writing()

    def end_gently(self) -> None:
        """Close after an answer: at once, or once the client has had time to read it."""
        if self._is_ended or self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.more_body and not self._is_in_head():
            self.transport.close()
            return
        self._is_ended = True
        self._stop_head_timer()
        self.flow.resume_reading()  # what still comes is thrown away
        self.transport.write_eof()
        self.loop.call_later(LINGER_S, self._abort)

    def _is_in_head(self) -> bool:
        return self.scope is not None and "method" not in self.scope

    def _is_busy(self) -> bool:
        """Return whether the newest head was read and its request is not yet answered."""
        cycle = self.cycle
        return cycle is not None and cycle.scope is self.scope and not cycle.response_complete

    def _is_answering(self) -> bool:
        """Return whether any request of this connection is not yet answered."""
        return self.cycle is not None and not (self.cycle.response_complete and not self.pipeline)

    def _may_speak(self) -> bool:
        """Return whether an answer can be written: none is under way, or the only one not begun."""
        cycle = self.cycle
        if cycle is None or not self._is_answering():
            return True
        if cycle.response_started or self.pipeline:
            return False
        cycle.disconnected = True  # whatever the request becomes, it is answered here
        cycle.message_event.set()
        return True

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _too_large(self) -> HeadTooLarge:
        most, count = self._limits.max_header_bytes, self._limits.max_headers
        return HeadTooLarge(
            f"The head of the request has more than {most} bytes or {count} headers."
            " Nothing was stored."
        )

    def _start_head_timer(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self._head_s, self._head_is_late)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_stall_timer(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self._is_ended or self.transport.is_closing():
            return
        if self._is_answering():  # reading may rest meanwhile: it is not the client who is slow
            self._start_head_timer()
        elif self._is_in_head():
            error = BodyTimeout(
                f"The head of the request did not arrive within {self._head_s:g} s."
                " Nothing was stored.",
                hint="Send the head at once, or raise limits.header_timeout_ms.",
            )
            self._refuse(error, "head_timeout")
        else:
            self.transport.close()

    def _watch_writing(self) -> None:
        if self._peer is None:  # it was lost meanwhile
            return
        self._stop_stall_timer()
        self._unsent_bytes = self.transport.get_write_buffer_size()
        self._stall_timer = self.loop.call_later(
            self._limits.send_stalled_ms / 1_000, self._look_for_progress
        )

    def _look_for_progress(self) -> None:
        self._stall_timer = None
        unsent = self.transport.get_write_buffer_size()
        if unsent >= self._unsent_bytes:
            REFUSED.labels("stalled").inc()
            self._abort()
            return
        self._unsent_bytes = unsent
        self._stall_timer = self.loop.call_later(
            self._limits.send_stalled_ms / 1_000, self._look_for_progress
        )

    def _refuse(self, error: PlayheadError, reason: str) -> None:
        """Say why, where nothing else is being said, and end."""
        REFUSED.labels(reason).inc()
        if self.transport.is_closing():
            return
        if self._may_speak():
            head = [
                b"HTTP/1.1 %d %b\r\n" % (error.status, HTTPStatus(error.status).phrase.encode())
            ]
            headers, body = _told(error)
            head += [b"%b: %b\r\n" % pair for pair in headers]
            self.transport.write(b"".join((*head, b"\r\n", body)))
        self._is_ended = True
        self._stop_head_timer()
        self.transport.write_eof()
        self.loop.call_later(LINGER_S, self._abort)

    def _abort(self) -> None:
        self.transport.abort()


class _Gently:
    """A connection's transport as a request sees it: closing it lets the client read the answer."""

    __slots__ = ("close", "is_closing", "write")

    def __init__(self, connection: Connection) -> None:
        self.write = connection.transport.write
        self.is_closing = connection.transport.is_closing
        self.close = connection.end_gently


def _told(error: PlayheadError) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return headers and body of an error; pages of any origin may read it, as it holds nothing."""
    body = _encode(error.body())
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"access-control-allow-origin", b"*"),
        (b"access-control-expose-headers", b"retry-after"),
        (b"connection", b"close"),
    ]
    if isinstance(error, (Unavailable, RateLimited)):
        headers.append((b"retry-after", b"%d" % error.retry_after_s))
    return headers, body


def _refusing(error: PlayheadError) -> Any:
    """Return an application that answers whatever is asked with an error, body unread."""
    headers, body = _told(error)

    async def refuse(_: Scope, __: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": error.status,
                "headers": headers,
                "trailers": False,
            }
        )
        await send({"type": "http.response.body", "body": body, "more_body": False})

    return refuse
