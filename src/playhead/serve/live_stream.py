"""`GET /v1/live/stream`: live numbers as server-sent events."""

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from playhead.config import Query
from playhead.errors import InvalidRequest
from playhead.query.cache import key_of
from playhead.query.live import LiveQuestion, live_question_of
from playhead.query.live_feed import LiveFeed
from playhead.serve.answer import values_of
from playhead.serve.broadcast import Broadcast, Listener
from playhead.serve.desk import Desk

RETRY_MS: Final = 2_000
"""How long a browser waits before it comes back."""
_LAST_ID: Final = "last_event_id"
_HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}
_MEDIA: Final = "text/event-stream"


class LiveStream:
    """The endpoint of live streams; `broadcast` holds those that are open."""

    def __init__(self, desk: Desk, limits: Query, broadcast: Broadcast) -> None:
        self._desk = desk
        self._limits = limits
        self._broadcast = broadcast

    async def stream(self, request: Request) -> Response:
        """`GET /v1/live/stream`: the window, then every second what changed in it."""
        caller = self._desk.admission.caller(request)
        values = values_of(request)
        told = values.pop(_LAST_ID, [""])[0]
        last_id = request.headers.get("last-event-id", told)
        question = live_question_of(values, self._desk.asking(caller.grant))
        self._check(question)
        if request.method == "HEAD":
            return Response(media_type=_MEDIA, headers=_HEADERS)
        key = _key(question)
        feed = LiveFeed(self._desk.reader, question)
        return _Events(self._broadcast, key, self._broadcast.join(key, feed, caller, last_id))

    def _check(self, question: LiveQuestion) -> None:
        """Refuse a window that is too large to be held and sent to many."""
        series = 1 if question.group_by is None else question.limit + 1
        most = self._limits.max_buckets
        if question.buckets * series > most:
            hint = "Ask for fewer minutes or groups, or raise query.max_buckets."
            raise InvalidRequest(f"That makes more than {most} rows.", hint=hint)


class _Events(Response):
    """An answer without end; it takes its listener out when it ends all the same."""

    def __init__(self, broadcast: Broadcast, key: str, listener: Listener) -> None:
        super().__init__(headers=_HEADERS, media_type=_MEDIA)
        del self.headers["content-length"]
        self._broadcast = broadcast
        self._key = key
        self._listener = listener

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send until the listener leaves or is let go."""
        listener = self._listener
        listener.task = asyncio.current_task()
        leaving = asyncio.ensure_future(self._await_leaving(receive))
        try:
            await self._send(send)
        except asyncio.CancelledError:
            if not listener.has_ended:
                raise
        finally:
            leaving.cancel()
            self._broadcast.leave(self._key, listener)

    async def _send(self, send: Send) -> None:
        listener, channel = self._listener, self._listener.channel
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        hello = b"retry: %d\n\n" % RETRY_MS
        await send({"type": "http.response.body", "body": hello, "more_body": True})
        while not listener.has_ended:
            message = channel.message(listener)
            if message is None:
                await channel.turn()
            else:
                await send(message)
        await send({"type": "http.response.body", "body": listener.farewell, "more_body": False})

    async def _await_leaving(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._listener.channel.leave(self._listener)


def _key(question: LiveQuestion) -> str:
    """Return the name of a question: the same whenever and by whomever it is asked."""
    group = question.group_by and (question.group_by.id, question.limit)
    return key_of(question.span.length_ms, group, question.scope)
