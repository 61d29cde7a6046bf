"""A door: a raw ASGI callable that takes something in and answers once it is durable.

A request goes through: admission (origin, key, address, rate) → body → what the door makes of it
→ append to the log → and only then the answer. What differs from door to door is in its class.
"""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import lru_cache
from typing import Any, ClassVar, Final

import msgspec

from playhead import observe
from playhead.access import Tokens
from playhead.clock import Clock
from playhead.collect import body as bodies
from playhead.collect.address import Addresses
from playhead.collect.geography import Geography
from playhead.collect.origins import Headers, Origins
from playhead.collect.rate import RateLimit
from playhead.collect.refusals import Refusals, Refused, field_in
from playhead.collect.request import Request, secret_in
from playhead.collect.steps import ADMISSION, Doorway, Salt, Step, context_of
from playhead.config import Config
from playhead.errors import (
    LogUnavailable,
    MethodNotAllowed,
    PlayheadError,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from playhead.log.base import Entry
from playhead.model.event import Meta, Rows

TIMED_ONE_IN: Final = 64
"""Steps are timed on one request in so many: a timer per step costs as much as a step."""
_CONTEXTS: Final = 16_384
_JSON: Final = (b"content-type", b"application/json")
_NO_STORE: Final = (b"cache-control", b"no-store")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Append = Callable[..., Awaitable[int]]
"""Puts the entries of one request into the log, all or none, and returns the first one's offset."""

_log = observe.logger("collect")
_REQUESTS = observe.counter("door_requests", "Requests by answer.", ("door", "status"))
_EVENTS = observe.counter("door_events", "Events by what became of them.", ("door", "outcome"))
_DROPS = observe.counter("dropped_events", "Events dropped, by reason.", ("reason",))
_STEP_S = observe.counter("ingest_step_seconds", "Time in each step, sampled.", ("step",))
_STEP_N = observe.counter("ingest_step_samples", "Requests whose steps were timed.", ("step",))
_encode = msgspec.json.Encoder().encode


class Answer(msgspec.Struct, frozen=True):
    """What goes back: a status, a JSON body and further headers."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Entrance(msgspec.Struct, frozen=True):
    """What all doors share."""

    config: Config
    append: Append
    clock: Clock
    doorway: Doorway
    refusals: Refusals


def entrance_of(
    config: Config,
    append: Append,
    tokens: Tokens,
    clock: Clock,
    *,
    geography: Geography | None = None,
    refusals: Refusals | None = None,
) -> Entrance:
    """Return what the doors share.

    Args:
        config: The settings; `collect` holds every limit.
        append: Puts entries into the log; raises `Unavailable` when it cannot.
        tokens: The write keys.
        clock: Time.
        geography: The place of an address; made from the settings when None.
        refusals: Where refusals are noted; its own when None.
    """
    collect = config.collect
    doorway = Doorway(
        config=collect,
        tokens=tokens,
        addresses=Addresses(collect.trusted_proxies, collect.address_header),
        geography=Geography(collect, clock) if geography is None else geography,
        origins=Origins(collect.allowed_origins),
        rate=RateLimit(collect),
        salt=Salt(),
    )
    return Entrance(config, append, clock, doorway, Refusals() if refusals is None else refusals)


class Door(ABC):
    """One door. A subclass says what a body becomes and how its acceptance is told.

    Args:
        entrance: What the doors share.
    """

    name: ClassVar[str]
    """The door in the log, in counters and in quarantine."""
    methods: ClassVar[tuple[str, ...]] = ("POST",)

    def __init__(self, entrance: Entrance) -> None:
        self.refusals = entrance.refusals
        self.config = entrance.config.collect
        self.clock = entrance.clock
        self.doorway = entrance.doorway
        self._append = entrance.append
        self._until_timed = TIMED_ONE_IN
        self._metas = lru_cache(maxsize=_CONTEXTS)(_plain_meta)
        self._statuses: dict[int, Any] = {}
        self._outcomes = {
            outcome: _EVENTS.labels(self.name, outcome)
            for outcome in ("accepted", "quarantined", "dropped")
        }

    @abstractmethod
    async def entries(self, request: Request, text: bytes) -> list[Entry]:
        """Return what goes into the log for a body; empty = nothing, and it is accepted.

        Sets `request.count` and `request.refused`. What takes longer than some ms gives the loop
        a turn (`asyncio.sleep(0)`) in between.

        Raises:
            PlayheadError: The whole body is refused; nothing of it is stored.
        """

    def accepted(self, request: Request) -> Answer:
        """Return the answer when all is on disk: how many were taken, and what was not."""
        count = request.count - len(request.refused)
        if not request.refused:
            return Answer(200, b'{"ok":true,"accepted":%d,"rejected":[]}' % count)
        rejected = [
            {"index": one.index, "code": one.code, "message": one.message}
            for one in request.refused
        ]
        return Answer(200, _encode({"ok": True, "accepted": count, "rejected": rejected}))

    def status_of(self, error: PlayheadError) -> int:
        """Return the status that tells an error at this door."""
        return error.status

    def limits(self) -> tuple[int, int]:
        """Return the largest body in bytes, as sent and unpacked."""
        return self.config.max_body_bytes, self.config.max_decompressed_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        try:
            answer = await self._answer(scope, headers, receive)
        except bodies.Gone:
            return
        except PlayheadError as error:
            answer = self._refusal(error)
        except Exception:  # noqa: BLE001 (a fault of ours must still reach the page, with CORS)
            _log.exception("request_failed", door=self.name)
            answer = self._refusal(PlayheadError())
        await self._send(send, answer, headers)

    async def _answer(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Answer:
        method = scope["method"]
        if method == "OPTIONS":
            return Answer(204, b"", tuple(self.doorway.origins.preflight(headers)))
        if method not in self.methods:
            allowed = " and ".join(self.methods)
            raise MethodNotAllowed(f"This door takes {allowed} (and OPTIONS before it) only.")
        request = self._request(scope, headers)
        self.walk(ADMISSION, request)
        text = await self._text(headers, receive)
        request.received_at = self.clock.now_ms()
        entries = await self.entries(request, text)
        if not entries:
            return self.accepted(request)
        try:
            await self._append(*entries)
        except OSError as error:
            _log.warning("log_append_failed", reason=str(error))
            raise LogUnavailable from error
        self._count(request)
        return self.accepted(request)

    def _request(self, scope: Scope, headers: dict[bytes, bytes]) -> Request:
        client = scope.get("client")
        name = self.doorway.addresses.header
        forwarded = (
            [value for key, value in scope["headers"] if key == name] if name in headers else []
        )
        query = scope.get("query_string", b"")
        return Request(
            headers=headers,
            peer=client[0] if client else "",
            forwarded=forwarded,
            secret=secret_in(headers, query),
            received_at=0,
            query=query,
        )

    def walk(self, steps: tuple[Step, ...], request: Request) -> None:
        """Take the steps in order; time them once in a while."""
        if steps is not ADMISSION:
            self._until_timed -= 1
            if not self._until_timed:
                self._until_timed = TIMED_ONE_IN
                self._walk_timed(steps, request)
                return
        for step in steps:
            step(request, self.doorway)

    def _walk_timed(self, steps: tuple[Step, ...], request: Request) -> None:
        before_s = self.clock.monotonic_s()
        for step in steps:
            step(request, self.doorway)
            after_s = self.clock.monotonic_s()
            _STEP_S.labels(step.__name__).inc(max(0.0, after_s - before_s))
            _STEP_N.labels(step.__name__).inc()
            before_s = after_s

    async def _text(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        """Return the body, unpacked."""
        max_bytes, max_unpacked_bytes = self.limits()
        body = await bodies.read(
            receive,
            declared=headers.get(b"content-length"),
            max_bytes=max_bytes,
            timeout_s=self.config.body_timeout_ms / 1000,
        )
        return bodies.unpack(
            body, headers.get(b"content-encoding", b""), max_bytes=max_unpacked_bytes
        )

    def meta(self, request: Request, *, rows: Rows | None = None, source: str = "") -> bytes:
        """Return the meta of an entry; `refused` must hold indices of that entry, in order."""
        plain = (request.property, request.place, request.device, request.bot, request.internal)
        if not request.refused and not request.anonymous_id and rows is None and not source:
            return self._metas(*plain)
        context = context_of(*plain, anonymous_id=request.anonymous_id)
        request.refused.sort(key=lambda one: one.index)
        refused = tuple(request.refused)
        return _encode(Meta(context=context, refused=refused, rows=rows, source=source))

    def _count(self, request: Request) -> None:
        refused = len(request.refused)
        self._outcomes["accepted"].inc(request.count - refused)
        if not refused:
            return
        dropped = 0
        for one in request.refused:
            if one.dropped:
                dropped += 1
                _DROPS.labels(one.code).inc()
            self._note(one.code, one.message, property_=request.property)
        self._outcomes["dropped"].inc(dropped)
        self._outcomes["quarantined"].inc(refused - dropped)

    def _note(self, code: str, message: str, *, property_: str = "") -> None:
        at = self.clock.now_ms()
        self.refusals.note(Refused(at, self.name, property_, code, message, field_in(message)))

    def _refusal(self, error: PlayheadError) -> Answer:
        self._note(error.code, error.message)
        status = self.status_of(error)
        headers: Headers = []
        if isinstance(error, (Unavailable, RateLimited)):
            headers.append((b"retry-after", b"%d" % error.retry_after_s))
        if status == MethodNotAllowed.status:
            headers.append((b"allow", ", ".join((*self.methods, "OPTIONS")).encode()))
        if status == Unauthenticated.status:
            headers.append((b"www-authenticate", b"Bearer"))
        if status in {408, 413}:
            headers.append((b"connection", b"close"))
        return Answer(status, _encode(error.body()), tuple(headers))

    async def _send(self, send: Send, answer: Answer, request: Mapping[bytes, bytes]) -> None:
        counter = self._statuses.get(answer.status)
        if counter is None:
            counter = self._statuses[answer.status] = _REQUESTS.labels(
                self.name, str(answer.status)
            )
        counter.inc()
        if answer.status == 204 and answer.headers:
            headers = list(answer.headers)
        else:
            headers = [
                *((_JSON, (b"content-length", b"%d" % len(answer.body))) if answer.body else ()),
                _NO_STORE,
                *self.doorway.origins.headers(request.get(b"origin")),
                *answer.headers,
            ]
        # A client may leave while its batch is being stored; some servers then refuse to write.
        with contextlib.suppress(OSError, RuntimeError):
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            await send({"type": "http.response.body", "body": answer.body})


def _plain_meta(*plain: Any) -> bytes:
    return _encode(Meta(context=context_of(*plain)))
