"""The telemetry door: `POST /telemetry`, a raw ASGI callable.

A request goes through: admission (origin, key, address, rate) → body → events → journey
(`steps.py`) → append to the log → and only then 200.
"""

import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from playhead import observe
from playhead.access import Tokens
from playhead.clock import Clock
from playhead.collect import body as bodies
from playhead.collect.address import Addresses
from playhead.collect.device import Facts, seen_in
from playhead.collect.geography import Geography, Place
from playhead.collect.origins import Headers, Origins
from playhead.collect.rate import RateLimit
from playhead.collect.refusals import Refusals, Refused, field_in
from playhead.collect.steps import ADMISSION, JOURNEY, Doorway, Request, Salt, Step
from playhead.config import Config
from playhead.errors import (
    BodyTooLarge,
    InvalidBody,
    LogUnavailable,
    MethodNotAllowed,
    PlayheadError,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from playhead.log.base import Entry
from playhead.model.event import Context, Meta
from playhead.model.telemetry import as_array, examine, without_lone_surrogates

DOOR: Final = "telemetry"
PATHS: Final = ("/telemetry", "/v1/telemetry")
TIMED_ONE_IN: Final = 64
"""Steps are timed on one request in so many: a timer per step costs as much as a step."""
_CONTEXTS: Final = 16_384
_BOM: Final = b"\xef\xbb\xbf"
_JSON: Final = (b"content-type", b"application/json")
_NO_STORE: Final = (b"cache-control", b"no-store")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Append = Callable[[Entry], Awaitable[int]]

_log = observe.logger("collect")
_REQUESTS = observe.counter("door_requests", "Requests by answer.", ("door", "status"))
_EVENTS = observe.counter("door_events", "Events by what became of them.", ("door", "outcome"))
_DROPS = observe.counter("dropped_events", "Events dropped, by reason.", ("reason",))
_STEP_S = observe.counter("ingest_step_seconds", "Time in each step, sampled.", ("step",))
_STEP_N = observe.counter("ingest_step_samples", "Requests whose steps were timed.", ("step",))
_ACCEPTED = _EVENTS.labels(DOOR, "accepted")
_QUARANTINED = _EVENTS.labels(DOOR, "quarantined")
_DROPPED = _EVENTS.labels(DOOR, "dropped")
_encode = msgspec.json.Encoder().encode


class Answer(msgspec.Struct, frozen=True):
    """What goes back: a status, a JSON body and further headers."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class TelemetryDoor:
    """Takes telemetry in and answers once it is durable.

    Args:
        config: The settings; `collect` holds every limit.
        append: Puts one entry into the log and returns its offset once it is on disk; raises
            `Unavailable` when it cannot.
        tokens: The write keys.
        clock: Time.
        geography: The place of an address; made from the settings when None.
        refusals: Where refusals are noted; its own when None.
    """

    def __init__(
        self,
        config: Config,
        append: Append,
        tokens: Tokens,
        clock: Clock,
        *,
        geography: Geography | None = None,
        refusals: Refusals | None = None,
    ) -> None:
        collect = config.collect
        self.refusals = Refusals() if refusals is None else refusals
        self._config = collect
        self._append = append
        self._clock = clock
        self._origins = Origins(collect.allowed_origins)
        self._doorway = Doorway(
            config=collect,
            tokens=tokens,
            addresses=Addresses(collect.trusted_proxies, collect.address_header),
            geography=Geography(collect, clock) if geography is None else geography,
            origins=self._origins,
            rate=RateLimit(collect),
            salt=Salt(),
        )
        self._until_timed = TIMED_ONE_IN
        self._metas = lru_cache(maxsize=_CONTEXTS)(_plain_meta)
        self._statuses: dict[int, Any] = {}
        seen_in(b"warm")  # loads the parser's rules now (0.1 s) instead of during a request

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
            _log.exception("request_failed", door=DOOR)
            answer = self._refusal(PlayheadError())
        await self._send(send, answer, headers)

    async def _answer(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Answer:
        method = scope["method"]
        if method == "OPTIONS":
            return Answer(204, b"", tuple(self._origins.preflight(headers)))
        if method != "POST":
            raise MethodNotAllowed("This door takes POST (and OPTIONS before it) only.")
        request = self._request(scope, headers)
        self._walk(ADMISSION, request)
        text = await self._text(headers, receive)
        request.received_at = self._clock.now_ms()
        array = as_array(text)
        single = text[:1] == b"{"
        try:
            self._look(request, array, single=single)
        except InvalidBody:
            mended = without_lone_surrogates(array)
            if mended == array:
                raise
            array = mended
            self._look(request, array, single=single)
        if not request.events:
            return _accepted(request)
        self._walk(JOURNEY, request)
        if request.refused:
            request.refused.sort(key=lambda one: one.index)
        entry = Entry(
            door=DOOR,
            key=_routing_key(request),
            events=len(request.events),
            meta=self._meta(request),
            body=array,
        )
        try:
            await self._append(entry)
        except OSError as error:
            _log.warning("log_append_failed", reason=str(error))
            raise LogUnavailable from error
        self._count(request)
        return _accepted(request)

    def _request(self, scope: Scope, headers: dict[bytes, bytes]) -> Request:
        client = scope.get("client")
        name = self._doorway.addresses.header
        forwarded = (
            [value for key, value in scope["headers"] if key == name] if name in headers else []
        )
        return Request(
            headers=headers,
            peer=client[0] if client else "",
            forwarded=forwarded,
            secret=_secret(headers, scope.get("query_string", b"")),
            received_at=0,
        )

    def _walk(self, steps: tuple[Step, ...], request: Request) -> None:
        """Take the steps in order; time them once in a while."""
        if steps is JOURNEY:
            self._until_timed -= 1
            if not self._until_timed:
                self._until_timed = TIMED_ONE_IN
                self._walk_timed(steps, request)
                return
        for step in steps:
            step(request, self._doorway)

    def _walk_timed(self, steps: tuple[Step, ...], request: Request) -> None:
        before_s = self._clock.monotonic_s()
        for step in steps:
            step(request, self._doorway)
            after_s = self._clock.monotonic_s()
            _STEP_S.labels(step.__name__).inc(max(0.0, after_s - before_s))
            _STEP_N.labels(step.__name__).inc()
            before_s = after_s

    async def _text(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        """Return the body, unpacked, which looks like a JSON object or array."""
        config = self._config
        body = await bodies.read(
            receive,
            declared=headers.get(b"content-length"),
            max_bytes=config.max_body_bytes,
            timeout_s=config.body_timeout_ms / 1000,
        )
        text = bodies.unpack(
            body, headers.get(b"content-encoding", b""), max_bytes=config.max_decompressed_bytes
        )
        text = text.removeprefix(_BOM).strip()
        if text[:1] not in {b"[", b"{"}:
            raise InvalidBody("The body is neither a JSON object nor an array of objects.")
        return text

    def _look(self, request: Request, array: bytes, *, single: bool) -> None:
        """Read the events of an array into the request; the refused ones leave a gap."""
        request.events, request.refused = examine(array, max_depth=self._config.max_json_depth)
        count = len(request.events)
        if single and count != 1:
            raise InvalidBody("The body is no JSON: several objects need [ and ] around them.")
        if count > self._config.max_events_per_request:
            raise BodyTooLarge(
                f"The request holds {count} events; {self._config.max_events_per_request}"
                " are allowed. Nothing of it was stored.",
                hint="Send smaller batches, or raise collect.max_events_per_request.",
            )

    def _meta(self, request: Request) -> bytes:
        plain = (request.property, request.place, request.device, request.bot)
        if not request.refused and not request.anonymous_id:
            return self._metas(*plain)
        context = _context(*plain, anonymous_id=request.anonymous_id)
        return _encode(Meta(context=context, refused=tuple(request.refused)))

    def _count(self, request: Request) -> None:
        refused = len(request.refused)
        _ACCEPTED.inc(len(request.events) - refused)
        if not refused:
            return
        dropped = 0
        for one in request.refused:
            if one.dropped:
                dropped += 1
                _DROPS.labels(one.code).inc()
            self._note(one.code, one.message, property_=request.property)
        _DROPPED.inc(dropped)
        _QUARANTINED.inc(refused - dropped)

    def _note(self, code: str, message: str, *, property_: str = "") -> None:
        at = self._clock.now_ms()
        self.refusals.note(Refused(at, DOOR, property_, code, message, field_in(message)))

    def _refusal(self, error: PlayheadError) -> Answer:
        self._note(error.code, error.message)
        headers: Headers = []
        if isinstance(error, (Unavailable, RateLimited)):
            headers.append((b"retry-after", b"%d" % error.retry_after_s))
        if error.status == MethodNotAllowed.status:
            headers.append((b"allow", b"POST, OPTIONS"))
        if error.status == Unauthenticated.status:
            headers.append((b"www-authenticate", b"Bearer"))
        if error.status in {408, 413}:
            headers.append((b"connection", b"close"))
        return Answer(error.status, _encode(error.body()), tuple(headers))

    async def _send(self, send: Send, answer: Answer, request: dict[bytes, bytes]) -> None:
        counter = self._statuses.get(answer.status)
        if counter is None:
            counter = self._statuses[answer.status] = _REQUESTS.labels(DOOR, str(answer.status))
        counter.inc()
        if answer.status == 204:
            headers = list(answer.headers)
        else:
            headers = [
                _JSON,
                (b"content-length", b"%d" % len(answer.body)),
                _NO_STORE,
                *self._origins.headers(request.get(b"origin")),
                *answer.headers,
            ]
        # A client may leave while its batch is being stored; some servers then refuse to write.
        with contextlib.suppress(OSError, RuntimeError):
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            await send({"type": "http.response.body", "body": answer.body})


def _secret(headers: dict[bytes, bytes], query: bytes) -> str:
    """Return the key a request brings, by header, bearer or query, in this order."""
    value = headers.get(b"x-playhead-key", b"").strip()
    if not value:
        scheme, _, rest = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() == b"bearer":
            value = rest.strip()
    if value:
        return value.decode("latin-1")
    if b"key=" not in query:
        return ""
    return next((v for k, v in parse_qsl(query.decode("latin-1")) if k == "key"), "")


def _routing_key(request: Request) -> str:
    """Return what keeps a viewer's events together: the session of the first event that has one."""
    for event in request.events:
        if event is not None:
            return event.session_id or event.view_id or event.viewer_id or request.anonymous_id
    return ""


def _context(
    property: str,  # noqa: A002 (the product's word)
    place: Place,
    device: Facts,
    bot: bool,
    *,
    anonymous_id: str = "",
) -> Context:
    return Context(
        property=property,
        country=place.country,
        region=place.region,
        city=place.city,
        asn=place.asn,
        as_org=place.as_org,
        device_class=device.device_class,
        os=device.os,
        os_version=device.os_version,
        browser=device.browser,
        browser_version=device.browser_version,
        bot=bot,
        anonymous_id=anonymous_id,
    )


def _plain_meta(property: str, place: Place, device: Facts, bot: bool) -> bytes:  # noqa: A002
    return _encode(Meta(context=_context(property, place, device, bot)))


def _accepted(request: Request) -> Answer:
    count = len(request.events) - len(request.refused)
    if not request.refused:
        return Answer(200, b'{"ok":true,"accepted":%d,"rejected":[]}' % count)
    rejected = [
        {"index": one.index, "code": one.code, "message": one.message} for one in request.refused
    ]
    return Answer(200, _encode({"ok": True, "accepted": count, "rejected": rejected}))
