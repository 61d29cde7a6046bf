"""Ingest as a list: `put_*` adds a fact, `drop_*` may end an event, `require_*` a request.

`ADMISSION` runs before the body is read, `JOURNEY` after it was decoded. A dropped event stays in
the stored body and is named, with its reason, in the record's meta: nothing vanishes.
"""

import hashlib
import secrets
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from playhead.access import Grant
from playhead.collect.address import Addresses, is_loopback
from playhead.collect.behaviour import Behaviour, is_of_one
from playhead.collect.device import USER_AGENT_MAX, Facts, facts_of, said_in, seen_in
from playhead.collect.flood import Flood
from playhead.collect.geography import Geography, Place
from playhead.collect.internal import Internal
from playhead.collect.origins import Origins, of_key
from playhead.collect.rate import RateLimit
from playhead.collect.request import DropReason, Request
from playhead.collect.viewer_ids import ViewerIds
from playhead.config import Collect
from playhead.errors import Forbidden, Unauthenticated
from playhead.model.event import Context, Event

SKEW_TOLERATED_MS: Final = 2_000
"""A client clock this far off is left alone: it is network delay, not a wrong clock."""
DAY_MS: Final = 86_400_000
SOURCE_SHOWN_MAX: Final = 80
SDK_DOOR: Final = "telemetry"
"""Where players with the SDK send to: one viewer in a request."""


class Salt:
    """A random number that lives a day, in memory only: yesterday's ids cannot be made again."""

    def __init__(self) -> None:
        self._day = -1
        self._bytes = b""

    def of(self, at_ms: int) -> bytes:
        """Return the salt of the day of `at_ms`."""
        if at_ms // DAY_MS != self._day:
            self._day, self._bytes = at_ms // DAY_MS, secrets.token_bytes(16)
        return self._bytes


class Known(Protocol):
    """Whoever knows tokens: those of the main workspace, or of all."""

    def resolve(self, secret: str) -> Grant | None:
        """Return what a secret allows, or None if it is no token (any more)."""
        ...


class Doorway(msgspec.Struct, frozen=True):
    """What the steps work with; shared by all requests."""

    config: Collect
    tokens: Known
    addresses: Addresses
    geography: Geography
    origins: Origins
    rate: RateLimit
    flood: Flood
    salt: Salt
    behaviour: Behaviour
    internal: Internal
    viewer_ids: ViewerIds


Step = Callable[[Request, Doorway], None]


def require_origin(request: Request, doorway: Doorway) -> None:
    """Refuse pages that may not send here: by the list of their key, else by the server's."""
    origin = request.headers.get(b"origin")
    grant = request.grant
    if grant is not None and grant.origins:
        if not of_key(grant.origins).allows(origin):
            raise Forbidden(
                "Pages of this origin may not send with this key. Nothing was stored.",
                hint="Make a key that names it: 'playhead token create --kind write --origin'.",
            )
    elif not doorway.origins.allows(origin):
        raise Forbidden(
            "Pages of this origin may not send here. Nothing was stored.",
            hint="Add the origin to collect.allowed_origins.",
        )


def put_property(request: Request, doorway: Doorway) -> None:
    """Put the property of the write key; refuse a wrong key, and none where one is required."""
    request.property = doorway.config.default_property
    if not request.secret:
        if doorway.config.require_key:
            raise Unauthenticated(
                "This door needs a write key. Nothing was stored.",
                hint="Send it as ?key=, X-Playhead-Key or 'Authorization: Bearer'.",
            )
        return
    grant = doorway.tokens.resolve(request.secret)
    if grant is None:
        raise Unauthenticated(
            "The key is not known here. Nothing was stored.",
            hint="Make one with 'playhead token create --kind write', or send without a key.",
        )
    if grant.kind == "read":
        raise Forbidden(
            "A read token may not send. Nothing was stored.",
            hint="Make a key with 'playhead token create --kind write'.",
        )
    if grant.kind in {"scoped", "jwt"} and not grant.may("DATASOURCES:APPEND", request.source):
        raise Forbidden(
            f"This token may not append to '{request.source[:SOURCE_SHOWN_MAX]}'. Nothing was stored.",
            hint="It needs the scope DATASOURCES:APPEND with this name.",
        )
    request.grant = grant
    request.property = grant.property or request.property


def put_address(request: Request, doorway: Doorway) -> None:
    """Put the client's address; it is forgotten with the request."""
    request.trusted = doorway.addresses.trusts(request.peer)
    request.address = doorway.addresses.client(request.peer, request.forwarded)
    request.is_own = not request.address or doorway.addresses.trusts(request.address)


def require_rate(request: Request, doorway: Doorway) -> None:
    """Refuse an address that sends more often than allowed."""
    if not request.is_own:
        doorway.rate.check(request.address)


def require_property_rate(request: Request, doorway: Doorway) -> None:
    """Refuse what is too much for a property, from all addresses together."""
    doorway.rate.check_property(request.property)


def put_geography(request: Request, doorway: Doorway) -> None:
    """Put country, region, city and network."""
    request.place = doorway.geography.place(
        request.address, request.headers, trusted=request.trusted
    )


def put_device(request: Request, doorway: Doorway) -> None:  # noqa: ARG001 (a step)
    """Put device class, system and browser: the client's word, then its user agent."""
    request.device = facts_of(_user_agent(request), said_in(request.events))


def put_bot(request: Request, doorway: Doorway) -> None:
    """Mark machines; they are shown apart, not swallowed.

    What a batch of many viewers says of one device is no word about the others, and neither its
    address nor its program is theirs: of such a batch only a user agent that names a robot counts.
    """
    agent = _user_agent(request)
    if not is_of_one(request.events):
        request.bot = seen_in(agent).bot
        return
    request.bot = request.device.bot
    address = request.address
    if not address or is_loopback(address) or doorway.addresses.trusts(address):
        return  # this machine, or a proxy that forwards nobody's address
    # Programs play nothing; with a key they are somebody's relay.
    program = request.device.program and request.grant is None
    robot = doorway.behaviour.is_robot(address, agent, request.events, request.received_at)
    request.bot = request.bot or program or robot


def put_internal(request: Request, doorway: Doorway) -> None:
    """Mark your own staff, by the client's address or the page's host."""
    internal = doorway.internal
    request.internal = internal.address(request.address) or internal.page(request.headers)


def _user_agent(request: Request) -> bytes:
    return request.headers.get(b"user-agent", b"")[:USER_AGENT_MAX]


def put_anonymous(request: Request, doorway: Doorway) -> None:
    """Put a daily id made of address and user agent, if an event names nobody.

    A player without cookies names its view and session, but no viewer: those views are counted by
    the daily id, too, where the address is its own.
    """
    for event in request.events:
        if event is not None and not (event.view_id or event.session_id or event.viewer_id):
            break
    else:
        if not _is_without_cookies(request, doorway):
            return
    mixed = hashlib.blake2b(key=doorway.salt.of(request.received_at), digest_size=8)
    mixed.update(request.address.encode())
    mixed.update(b"\0")
    mixed.update(request.headers.get(b"user-agent", b""))
    request.anonymous_id = mixed.hexdigest()


def _is_without_cookies(request: Request, doorway: Doorway) -> bool:
    address = request.address
    if request.source != SDK_DOOR or doorway.viewer_ids.way(request) == "drop":
        return False
    if any(one is not None and one.viewer_id for one in request.events):
        return False
    if not address or is_loopback(address) or doorway.addresses.trusts(address):
        return False  # this machine, or a proxy that forwards nobody's address
    return any(request.events) and is_of_one(request.events)


def require_known_views(request: Request, doorway: Doorway) -> None:
    """Refuse a batch that begins a view when too many begin; see `collect/flood.py`."""
    doorway.flood.check(
        request.events,
        property=request.property,
        address=None if request.is_own or request.is_relay() else request.address,
        anonymous_id=request.anonymous_id,
    )


def _age_ms(event: Event, received_at: int) -> int:
    """Return how old an event is, by the sender's own clock where that can be corrected."""
    sent_at = event.sent_at
    if sent_at is not None and not -SKEW_TOLERATED_MS <= received_at - sent_at <= SKEW_TOLERATED_MS:
        return sent_at - event.timestamp
    return received_at - event.timestamp


def span(ms: int) -> str:
    """Return a limit as a person says it: `7 days`, `60 s`."""
    return f"{ms / DAY_MS:g} days" if ms >= 2 * DAY_MS else f"{ms / 1000:g} s"


def drop_too_old(request: Request, doorway: Doorway) -> None:
    """Drop what happened longer ago than `collect.max_event_age_ms`."""
    limit, now = doorway.config.max_event_age_ms, request.received_at
    oldest = now - limit
    for index, event in enumerate(request.events):
        if event is None or (event.sent_at is None and event.timestamp >= oldest):
            continue  # nearly every event; the rest by the same rule, with the sender's clock
        if _age_ms(event, now) <= limit:
            continue
        message = f"The event is more than {span(limit)} old (collect.max_event_age_ms)."
        if event.sent_at is None:
            message += " If the sender's clock is wrong, add sentAt and it will be corrected."
        request.drop(index, DropReason.TOO_OLD, message)


def drop_too_far_ahead(request: Request, doorway: Doorway) -> None:
    """Drop what has not happened yet.

    With `sentAt` the clock is corrected and `collect.max_event_ahead_ms` counts. Without it the
    fold corrects the view's clock, so only what is off by more than the age limit goes.
    """
    config, now = doorway.config, request.received_at
    newest = now + config.max_event_age_ms
    for index, event in enumerate(request.events):
        if event is None or (event.sent_at is None and event.timestamp <= newest):
            continue  # nearly every event
        known = event.sent_at is not None
        limit = config.max_event_ahead_ms if known else config.max_event_age_ms
        if -_age_ms(event, now) <= limit:
            continue
        message = f"The event lies more than {span(limit)} in the future."
        if not known:
            message += " If the sender's clock is wrong, add sentAt and it will be corrected."
        request.drop(index, DropReason.TOO_FAR_AHEAD, message)


ADMISSION: Final[tuple[Step, ...]] = (
    put_address,
    require_rate,
    put_property,
    require_origin,
    require_property_rate,
)
JOURNEY: Final[tuple[Step, ...]] = (
    drop_too_old,
    drop_too_far_ahead,
    put_geography,
    put_device,
    put_bot,
    put_internal,
    put_anonymous,
    require_known_views,
)


def routing_key(request: Request) -> str:
    """Return what keeps a viewer's events together: the session of the first event that has one."""
    for event in request.events:
        if event is not None:
            return event.session_id or event.view_id or event.viewer_id or request.anonymous_id
    return ""


def context_of(
    property: str,  # noqa: A002 (the product's word)
    place: Place,
    device: Facts,
    bot: bool,
    internal: bool,
    *,
    anonymous_id: str = "",
) -> Context:
    """Return what the steps found out, as the log keeps it."""
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
        internal=internal,
        anonymous_id=anonymous_id,
    )
