"""Live streams: each question is asked once a tick, encoded once, and sent to all who listen to it.

A listener holds no queue, only the number of the last round it was sent. One that is slow, or comes
back after a break, is sent what changed since that round, all at once: memory does not grow with
how far behind it is, and what it misses it does not miss.
"""

import asyncio
import secrets
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from starlette.types import Message

from playhead.clock import Clock
from playhead.config import Query
from playhead.errors import ListenersFull, PlayheadError, Unauthenticated
from playhead.observe import gauge, logger
from playhead.query.live import BUCKET_MS
from playhead.query.live_feed import LiveFeed, LiveWindow
from playhead.query.span import iso
from playhead.serve.admission import Caller

PROBLEM_AGAIN_S: Final = 5.0
"""While a problem lasts it is told again this often."""
_LOG = logger("serve")
_LISTENERS = gauge("live_listeners", "Live streams that are open.")
_QUESTIONS = gauge("live_questions", "Different questions that live streams ask.")
_encode = msgspec.json.Encoder().encode

Asked = Callable[[], Awaitable[dict[str, Any]]]


class Listener:
    """One open stream, sent to by its own task."""

    __slots__ = ("caller", "channel", "farewell", "has_ended", "note", "round", "sent", "task")

    def __init__(self, channel: "Channel", caller: Caller, since: int) -> None:
        self.channel = channel
        self.caller = caller
        self.round = since
        """The last round it knows; 0 when it knows nothing yet."""
        self.sent = 0
        """The last round this stream was sent; 0 before the first."""
        self.note = 0
        self.task: asyncio.Task[Any] | None = None
        self.has_ended = False
        self.farewell = b""

    def end(self, farewell: bytes = b"") -> None:
        """Let its task finish the answer, which it does as soon as it is woken."""
        self.has_ended = True
        self.farewell = farewell


class Channel:
    """One question, asked once a tick for as long as somebody listens."""

    def __init__(self, feed: LiveFeed, clock: Clock, limits: Query, holds: Callable[[Caller], bool],
                 freshness: Asked) -> None:  # fmt: skip
        self._feed = feed
        self._clock = clock
        self._limits = limits
        self._holds = holds
        self._freshness = freshness
        self._window = LiveWindow(feed.question)
        self._epoch = secrets.token_hex(6)
        self._kept_rounds = max(1, limits.live_history_ms // max(1, limits.live_every_ms))
        self._stalled_rounds = max(1, limits.live_stalled_ms // max(1, limits.live_every_ms))
        self._meta: dict[str, Any] = {}
        self._encoded: dict[int, Message] = {}
        self._is_current = False
        self._note = 0
        self._note_message: Message = {}
        self._trouble = b""
        self._told_s = self._said_s = 0.0
        self._turn = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.listeners: set[Listener] = set()

    def join(self, caller: Caller, last_id: str) -> Listener:
        """Add a listener, who may name the last event it got."""
        epoch, _, text = last_id.partition("-")
        is_ours = epoch == self._epoch and text.isascii() and text.isdecimal() and len(text) < 16
        listener = Listener(self, caller, int(text) if is_ours else 0)
        self.listeners.add(listener)
        listener.note = self._note - bool(self._trouble)
        if self._task is None:
            self._is_current = False
            self._task = asyncio.ensure_future(self._run())
        return listener

    def leave(self, listener: Listener) -> None:
        """Take a listener out; with the last one the asking ends."""
        listener.has_ended = True
        self.listeners.discard(listener)
        if not self.listeners and self._task is not None:
            self._task.cancel()
            self._task = None
            self._wake()

    def stop(self) -> None:
        """End every stream."""
        for listener in list(self.listeners):
            listener.end()
            self.leave(listener)

    async def turn(self) -> None:
        """Wait until there may be something new."""
        await self._turn.wait()

    def message(self, listener: Listener) -> Message | None:
        """Return what a listener has not been sent yet, None if nothing; it counts as sent."""
        if self._is_current and listener.round != self._window.round:
            since = listener.round
            listener.round = listener.sent = self._window.round
            return self._since(since)
        if listener.note != self._note:
            listener.note = self._note
            return self._note_message
        return None

    def place(self, listener: Listener) -> str:
        """Return what a listener says to go on where it is; empty before its first event."""
        return f"{self._epoch}-{listener.round}" if listener.round else ""

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        every_s = self._limits.live_every_ms / 1000
        due_s = self._said_s = loop.time()
        while True:
            began_s = loop.time()
            await self._guarded(self._ask)
            await self._guarded(self._look_after)
            self._wake()
            # A question that takes long leaves the store at least as long to the others.
            due_s = max(due_s + every_s, 2 * loop.time() - began_s)
            await asyncio.sleep(due_s - loop.time())

    async def _guarded(self, step: Callable[[], Awaitable[None]]) -> None:
        """Do one step; what goes wrong is told to the listeners and does not end their streams."""
        try:
            await step()
        except PlayheadError as error:
            self._problem(error)
        except Exception as error:  # noqa: BLE001 (a fault of one round must not end the stream)
            _LOG.error("live_round_broke", trace="".join(traceback.format_exception(error)))
            self._problem(PlayheadError())

    async def _ask(self) -> None:
        found = await self._feed.ask(self._clock.now_ms())
        self._meta = await self._freshness()
        self._window.take(found)
        self._encoded.clear()
        self._is_current = True
        self._trouble = b""
        self._said_s = asyncio.get_running_loop().time()

    def _problem(self, error: PlayheadError) -> None:
        trouble, now_s = problem_of(error), asyncio.get_running_loop().time()
        if trouble != self._trouble or now_s - self._told_s >= PROBLEM_AGAIN_S:
            self._trouble, self._told_s = trouble, now_s
            self._say(trouble)

    def _say(self, text: bytes) -> None:
        self._note += 1
        self._note_message = _part(text)
        self._said_s = asyncio.get_running_loop().time()

    async def _look_after(self) -> None:
        """Let go who may not listen any more or takes nothing; ping when nothing was said."""
        for listener in list(self.listeners):
            if not self._holds(listener.caller):
                listener.end(problem_of(Unauthenticated("This token or session has ended.")))
            behind = self._window.round - listener.sent if listener.sent else 0
            is_cut = listener.has_ended or behind > self._stalled_rounds
            if is_cut and behind > 1 and listener.task is not None:
                # It waits in a write that nobody reads: waking it would not help.
                listener.end()
                listener.task.cancel()
        if asyncio.get_running_loop().time() - self._said_s >= self._limits.live_ping_ms / 1000:
            self._say(b": ping\n\n")

    def _wake(self) -> None:
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    def _since(self, since: int) -> Message:
        """Return what changed after a round, or everything where that cannot be told any more."""
        newest = self._window.round
        if not self._window.whole_since <= since <= newest or newest - since > self._kept_rounds:
            since = 0
        message = self._encoded.get(since)
        if message is None:
            message = self._encoded[since] = _part(self._event(since))
        return message

    def _event(self, since: int) -> bytes:
        window, group = self._window, self._feed.question.group_by
        data = {
            "snapshot": not since,
            "from": iso(window.span.from_ms),
            "to": iso(window.span.to_ms),
            "interval": f"{BUCKET_MS // 1000}s",
            "group_by": group.id if group else None,
            **self._meta,
            "rows": window.rows(since),
            "totals": window.totals(),
        }
        head = f"id: {self._epoch}-{window.round}\nevent: live\ndata: "
        return head.encode() + _encode(data) + b"\n\n"


class Broadcast:
    """The channels, one a question, and how many may listen.

    Args:
        clock: The clock.
        limits: The settings of answers.
        holds: Says whether what admitted a caller is still good.
        freshness: Gives how far answers are behind the log.
    """

    def __init__(self, clock: Clock, limits: Query, holds: Callable[[Caller], bool],
                 freshness: Asked) -> None:  # fmt: skip
        self._clock = clock
        self._limits = limits
        self._holds = holds
        self._freshness = freshness
        self._channels: dict[str, Channel] = {}
        self._left: dict[str, asyncio.TimerHandle] = {}
        """Questions nobody listens to any more, still known to those who come back."""
        self._listening = 0

    def join(self, key: str, feed: LiveFeed, caller: Caller, last_id: str) -> Listener:
        """Add a listener to the question's channel, which is opened for the first one.

        Args:
            key: Names the question; the same for everyone who asks it.
            feed: Asks it, if this is the first one.
            caller: Who listens.
            last_id: The last event it got, empty if none.

        Raises:
            ListenersFull: As many listeners or questions as allowed.
        """
        if self._listening >= self._limits.max_listeners:
            raise ListenersFull(retry_after_s=5)
        if key not in self._channels:
            self._make_room()
            self._channels[key] = Channel(
                feed, self._clock, self._limits, self._holds, self._freshness
            )
        elif key in self._left:
            self._left.pop(key).cancel()
        self._listening += 1
        listener = self._channels[key].join(caller, last_id)
        self._count()
        return listener

    def leave(self, key: str, listener: Listener) -> None:
        """Take a listener out."""
        self._listening -= 1
        channel = listener.channel
        channel.leave(listener)
        if not channel.listeners and key not in self._left:
            loop = asyncio.get_running_loop()
            after_s = self._limits.live_history_ms / 1000
            self._left[key] = loop.call_later(after_s, self._forget, key)
        self._count()

    def stop(self) -> None:
        """End every stream, so that the server can stop at once."""
        for channel in self._channels.values():
            channel.stop()

    def _make_room(self) -> None:
        if len(self._channels) < self._limits.max_live_questions:
            return
        if not self._left:
            raise ListenersFull(
                "As many different live questions as allowed are asked.", retry_after_s=5
            )
        oldest = next(iter(self._left))
        self._left[oldest].cancel()
        self._forget(oldest)

    def _forget(self, key: str) -> None:
        del self._left[key]
        del self._channels[key]

    def _count(self) -> None:
        _LISTENERS.set(self._listening)
        _QUESTIONS.set(len(self._channels) - len(self._left))


def problem_of(error: PlayheadError) -> bytes:
    """Return an error as an event of a stream."""
    return b"event: problem\ndata: " + _encode(error.body()) + b"\n\n"


def _part(text: bytes) -> Message:
    return {"type": "http.response.body", "body": text, "more_body": True}
