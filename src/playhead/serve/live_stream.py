"""`GET /v1/live/stream`: live numbers as server-sent events, of one question or of several."""

import asyncio
from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from playhead.config import Query
from playhead.errors import InvalidRequest, PlayheadError
from playhead.query.cache import key_of
from playhead.query.live import LiveQuestion, live_question_of
from playhead.query.live_feed import LiveFeed
from playhead.query.question import Values
from playhead.serve.admission import Caller
from playhead.serve.answer import values_of
from playhead.serve.broadcast import Broadcast, Listener
from playhead.serve.desk import Desk

RETRY_MS: Final = 2_000
"""How long a browser waits before it comes back."""
ASKS_MAX: Final = 8
"""Questions one stream may ask at once."""
_LAST_ID: Final = "last_event_id"
_ASK: Final = "ask"
_BETWEEN: Final = "."
"""Stands between the places of several questions in the id of an event."""
_HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}
_MEDIA: Final = "text/event-stream"

_Strand = tuple[str, Listener]
"""The name of a question, and who listens to it for a stream."""


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
        asks = values.pop(_ASK, [])
        asking = self._desk.asking(caller.grant)
        questions = [live_question_of(one, asking) for one in _each(values, asks)]
        for question in questions:
            self._check(question)
        if request.method == "HEAD":
            return Response(media_type=_MEDIA, headers=_HEADERS)
        strands = self._joined(questions, caller, last_id)
        return _Events(self._broadcast, strands, is_marked=bool(asks))

    def _joined(
        self, questions: Sequence[LiveQuestion], caller: Caller, last_id: str
    ) -> list[_Strand]:
        """Listen to all of the questions, or to none."""
        places = last_id.split(_BETWEEN) if len(questions) > 1 else [last_id]
        if len(places) != len(questions):
            places = [""] * len(questions)
        strands: list[_Strand] = []
        try:
            for question, place in zip(questions, places, strict=True):
                key, feed = _key(question), LiveFeed(self._desk.reader, question)
                strands.append((key, self._broadcast.join(key, feed, caller, place)))
        except PlayheadError:
            for key, listener in strands:
                self._broadcast.leave(key, listener)
            raise
        return strands

    def _check(self, question: LiveQuestion) -> None:
        """Refuse a window that is too large to be held and sent to many."""
        series = 1 if question.group_by is None else question.limit + 1
        most = self._limits.max_buckets
        if question.buckets * series > most:
            hint = "Ask for fewer minutes or groups, or raise query.max_buckets."
            raise InvalidRequest(f"That makes more than {most} rows.", hint=hint)


class _Events(Response):
    """An answer without end; it takes its listeners out when it ends all the same.

    Several questions have a task each, as if each had a stream of its own; they write one at a time.
    """

    def __init__(
        self, broadcast: Broadcast, strands: Sequence[_Strand], *, is_marked: bool
    ) -> None:
        super().__init__(headers=_HEADERS, media_type=_MEDIA)
        del self.headers["content-length"]
        self._broadcast = broadcast
        self._strands = strands
        self._listeners = [listener for _, listener in strands]
        self._is_marked = is_marked
        self._writing = asyncio.Lock()

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send until the listeners leave or are let go."""
        leaving = asyncio.ensure_future(self._await_leaving(receive))
        try:
            await self._send(send)
        except asyncio.CancelledError:
            if not any(listener.has_ended for listener in self._listeners):
                raise
        finally:
            leaving.cancel()
            for key, listener in self._strands:
                self._broadcast.leave(key, listener)

    async def _send(self, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        await send(_part(b"retry: %d\n\n" % RETRY_MS))
        if len(self._listeners) == 1:
            await self._follow(0, send)
        else:
            await self._follow_all(send)
        farewell = next((one.farewell for one in self._listeners if one.farewell), b"")
        await send({"type": "http.response.body", "body": farewell, "more_body": False})

    async def _follow_all(self, send: Send) -> None:
        """Follow every question until the first of them ends."""
        tasks = [
            asyncio.ensure_future(self._follow(number, send))
            for number in range(len(self._listeners))
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _follow(self, number: int, send: Send) -> None:
        listener = self._listeners[number]
        listener.task = asyncio.current_task()
        channel = listener.channel
        while not listener.has_ended:
            message = channel.message(listener)
            if message is None:
                await channel.turn()
                continue
            async with self._writing:
                await send(self._marked(number, message) if self._is_marked else message)

    def _marked(self, number: int, message: Message) -> Message:
        """Say which question an event answers, and in its id how far each of them was told."""
        head, found, data = message["body"].partition(b"data: {")
        if not found:
            return message
        if head.startswith(b"id: "):
            places = (one.channel.place(one) for one in self._listeners)
            head = b"id: %s\nevent: live\n" % _BETWEEN.join(places).encode()
        return _part(b'%sdata: {"ask":%d,%s' % (head, number, data))

    async def _await_leaving(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        for listener in self._listeners:
            listener.channel.leave(listener)


def _part(body: bytes) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": True}


def _each(values: Values, asks: Sequence[str]) -> list[Values]:
    """Return the parameters of each question: its own, and those beside them that are for all.

    Raises:
        InvalidRequest: More questions than `ASKS_MAX`.
    """
    if len(asks) > ASKS_MAX:
        raise InvalidRequest(
            f"A stream asks at most {ASKS_MAX} questions.", hint="Open another stream for the rest."
        )
    found: list[Values] = []
    for ask in asks:
        own: dict[str, list[str]] = {}
        for name, value in parse_qsl(ask, keep_blank_values=True):
            own.setdefault(name, []).append(value)
        found.append({**values, **own})
    return found or [values]


def _key(question: LiveQuestion) -> str:
    """Return the name of a question: the same whenever and by whomever it is asked."""
    group = question.group_by and (question.group_by.id, question.limit)
    return key_of(question.span.length_ms, group, question.scope)
