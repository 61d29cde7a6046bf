"""A door: a raw ASGI callable that takes something in and answers once it is durable.

A request goes through: admission (origin, key, address, rate) → body → what the door makes of it
→ append to the log → and only then the answer. What differs from door to door is in its class.
"""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import lru_cache
from typing import Any, ClassVar, Final

import msgspec

from playhead import observe
from playhead.collect import body as bodies
from playhead.collect.entrance import Append, Entrance
from playhead.collect.idempotency import HEADER, Key, Keys, key_of
from playhead.collect.origins import Headers
from playhead.collect.refusals import KEPT_MAX, Refused, field_in
from playhead.collect.request import Request, secret_in
from playhead.collect.steps import ADMISSION, Step, context_of
from playhead.errors import (
    BodyTooLarge,
    DoorClosed,
    LogUnavailable,
    MethodNotAllowed,
    PlayheadError,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from playhead.log.base import Entry
from playhead.model.event import Into, Meta, Rows

TIMED_ONE_IN: Final = 64
"""Steps are timed on one request in so many: a timer per step costs as much as a step."""
_CONTEXTS: Final = 16_384
_JSON: Final = (b"content-type", b"application/json")
_NO_STORE: Final = (b"cache-control", b"no-store")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

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


class Door(ABC):
    """One door. A subclass says what a body becomes and how its acceptance is told.

    Args:
        entrance: What the doors share.
    """

    name: ClassVar[str]
    """The door in the log, in counters and in quarantine."""
    methods: ClassVar[tuple[str, ...]] = ("POST",)
    idempotent: ClassVar[bool] = False
    """Whether `Idempotency-Key` is heeded: where no view removes what comes twice."""

    def __init__(self, entrance: Entrance) -> None:
        self.refusals = entrance.refusals
        self.config = entrance.config.collect
        self.max_event_bytes = entrance.config.limits.max_event_bytes
        self.clock = entrance.clock
        self.doorway = entrance.doorway
        self.stored = entrance.promises.stored
        self._append = entrance.append
        self._large = entrance.large
        self._keys = entrance.promises.keys if self.idempotent else None
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

    async def reread(self, request: Request, body: bytes, source: str) -> list[Entry]:  # noqa: ARG002
        """Return what goes into the log for one body out of quarantine; see `collect/retry.py`.

        Sets `request.refused` as `entries` does. The steps do not walk: what they found out at
        first is in the request.

        Args:
            request: As it was at first, without headers and query.
            body: One event or line as it was sent.
            source: What the sender named at this door then: a log format, a data source.

        Raises:
            PlayheadError: It is refused again.
        """
        return await self.entries(request, body)

    def accepted(self, request: Request) -> Answer:
        """Return the answer when all is on disk: how many were taken, and what was not."""
        count = request.count - len(request.refused)
        if not request.refused:
            return Answer(200, b'{"ok":true,"accepted":%d,"rejected":[]}' % count)
        rejected = [one.told() for one in request.refused]
        return Answer(200, _encode({"ok": True, "accepted": count, "rejected": rejected}))

    async def told(self, request: Request, answer: Answer, offset: int) -> Answer:  # noqa: ARG002
        """Return the answer as it is given now, first or repeated; `offset` is the last entry's."""
        return answer

    def status_of(self, error: PlayheadError) -> int:
        """Return the status that tells an error at this door."""
        return error.status

    def refusal_body(self, error: PlayheadError) -> Mapping[str, str]:
        """Return the body that tells an error at this door."""
        return error.body()

    def refusal_headers(self, error: PlayheadError) -> Headers:  # noqa: ARG002
        """Return further headers of an error."""
        return []

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
            return Answer(204, b"", tuple(self.doorway.origins.preflight(headers, self.methods)))
        if method not in self.methods:
            allowed = " and ".join(self.methods)
            raise MethodNotAllowed(f"This door takes {allowed} (and OPTIONS before it) only.")
        if self.name in self.config.closed_doors:
            raise DoorClosed(f"The door '{self.name}' is closed. Nothing was stored.")
        request = self._request(scope, headers)
        self.walk(ADMISSION, request)
        body = await self._body(headers, receive)
        request.received_at = self.clock.now_ms()
        answer, offset = await self._unpacked(request, body)
        return answer if offset is None else await self.told(request, answer, offset)

    async def _unpacked(self, request: Request, body: bytes) -> tuple[Answer, int | None]:
        """Unpack a body and take it; a few large ones at a time, for they fill the memory."""
        encoding = request.headers.get(b"content-encoding", b"")
        most, small = self.limits()[1], self.config.max_decompressed_bytes
        text = None
        if most <= small or len(body) <= small:
            try:
                text = bodies.unpack(body, encoding, max_bytes=min(most, small))
            except BodyTooLarge:
                if most <= small:
                    raise
        if text is not None:
            return await self._once(request, text)
        async with self._large:
            unpacked = await asyncio.to_thread(bodies.unpack, body, encoding, max_bytes=most)
            return await self._once(request, unpacked)

    async def _once(self, request: Request, text: bytes) -> tuple[Answer, int | None]:
        """Take a body; under an idempotency key only if that is free."""
        if not request.is_own and not request.is_relay():
            self.doorway.rate.charge(request.address, len(text))
        if self._keys is None or HEADER not in request.headers:
            return await self._take(request, text)
        keys, key = self._keys, await self._key(request, text)
        return await keys.once(key, lambda: self._take_once(request, text, key, keys))

    async def _take(
        self, request: Request, text: bytes, append: Append | None = None
    ) -> tuple[Answer, int | None]:
        """Return the answer and the last entry's offset, None if there was nothing to append."""
        entries = await self.entries(request, text)
        if not entries:
            return self.accepted(request), None
        try:
            first = await (append or self._append)(*entries)
        except OSError as error:
            _log.warning("log_append_failed", reason=str(error))
            raise LogUnavailable from error
        self._count(request)
        return self.accepted(request), first + len(entries) - 1

    async def _take_once(
        self, request: Request, text: bytes, key: Key, keys: Keys
    ) -> tuple[Answer, int | None]:
        """Do the same, unless the key has its answer already."""
        kept = await keys.find(key)
        if kept is not None:
            return Answer(kept.status, kept.body), kept.offset
        request.idempotency = key.text

        async def append(*entries: Entry) -> int:
            answer = self.accepted(request)
            return await keys.append(key, self._append, entries, (answer.status, answer.body))

        return await self._take(request, text, append)

    async def _key(self, request: Request, text: bytes) -> Key:
        token = request.grant.id if request.grant else ""
        who = (self.name, request.property, token)
        return await asyncio.to_thread(key_of, request.headers[HEADER], who, request.query, text)

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
            source=self.name,
        )

    def walk(self, steps: tuple[Step, ...], request: Request) -> None:
        """Take the steps in order; time them once in a while. Out of quarantine none is left."""
        if request.is_retried:
            return
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

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        """Return the body as it was sent."""
        return await bodies.read(
            receive,
            declared=headers.get(b"content-length"),
            max_bytes=self.limits()[0],
            timeout_s=self.config.body_timeout_ms / 1000,
        )

    def meta(
        self,
        request: Request,
        *,
        rows: Rows | None = None,
        source: str = "",
        into: Into | None = None,
    ) -> bytes:
        """Return the meta of an entry; `refused` must hold indices of that entry, in order."""
        plain = (request.property, request.place, request.device, request.bot, request.internal)
        other = request.refused or request.anonymous_id or request.idempotency or source
        if not other and rows is None:
            return self._metas(*plain)
        context = context_of(*plain, anonymous_id=request.anonymous_id)
        request.refused.sort(key=lambda one: one.index)
        refused = tuple(request.refused)
        meta = Meta(
            context=context,
            refused=refused,
            rows=rows,
            into=into,
            source=source,
            idempotency=request.idempotency,
        )
        return _encode(meta)

    def _count(self, request: Request) -> None:
        refused, set_aside = len(request.refused), request.set_aside
        self._outcomes["accepted"].inc(request.count - refused - set_aside)
        self._outcomes["quarantined"].inc(set_aside)
        if not refused:
            return
        drops = Counter(one.code for one in request.refused if one.dropped)
        for code, count in drops.items():
            _DROPS.labels(code).inc(count)
        self.refusals.count(Counter(one.code for one in request.refused[:-KEPT_MAX]))
        for one in request.refused[-KEPT_MAX:]:
            self._note(one.code, one.message, property_=request.property)
        dropped = drops.total()
        self._outcomes["dropped"].inc(dropped)
        self._outcomes["quarantined"].inc(refused - dropped)

    def _note(self, code: str, message: str, *, property_: str = "") -> None:
        at = self.clock.now_ms()
        self.refusals.note(Refused(at, self.name, property_, code, message, field_in(message)))

    def _refusal(self, error: PlayheadError) -> Answer:
        self._note(error.code, error.message)
        status = self.status_of(error)
        headers = self.refusal_headers(error)
        if isinstance(error, (Unavailable, RateLimited)):
            headers.append((b"retry-after", b"%d" % error.retry_after_s))
        if status == MethodNotAllowed.status:
            headers.append((b"allow", ", ".join((*self.methods, "OPTIONS")).encode()))
        if status == Unauthenticated.status:
            headers.append((b"www-authenticate", b"Bearer"))
        if status in {408, 413}:
            headers.append((b"connection", b"close"))
        return Answer(status, _encode(self.refusal_body(error)), tuple(headers))

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
