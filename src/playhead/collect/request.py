"""One request at a door: what it brought, and what the steps find out about it."""

import enum
from collections.abc import Mapping
from urllib.parse import parse_qsl

import msgspec

from playhead.access import Grant
from playhead.collect.device import Facts
from playhead.collect.geography import NOWHERE, Place
from playhead.model.event import Event, Refusal


class DropReason(enum.StrEnum):
    """Why an event that could be read is not counted."""

    TOO_OLD = "too_old"
    TOO_FAR_AHEAD = "too_far_ahead"
    UNKNOWN_VERSION = "unknown_version"
    TOO_LARGE = "too_large"


class Request(msgspec.Struct):
    """One request on its way through a door. `events` has None where one was refused."""

    headers: Mapping[bytes, bytes]
    peer: str
    forwarded: list[bytes]
    secret: str
    received_at: int
    grant: Grant | None = None
    property: str = ""
    address: str = ""
    trusted: bool = False
    is_own: bool = False
    """The address is a trusted proxy's own: whoever is behind it cannot be told apart."""
    place: Place = NOWHERE
    device: Facts = Facts()
    bot: bool = False
    anonymous_id: str = ""
    internal: bool = False
    query: bytes = b""
    """The query string."""
    count: int = 0
    """Events or rows in the body, refused ones included."""
    source: str = ""
    """The data source that a token with scopes must name: the door's, or `name` of /v0/events."""
    set_aside: int = 0
    """Rows refused besides `refused`: they have a quarantine of their own."""
    is_retried: bool = False
    """Out of quarantine: it walked all steps when it first came, and age is no reason now."""
    idempotency: str = ""
    """The `Idempotency-Key`, hashed; it goes into the meta of each entry."""
    events: list[Event | None] = []
    refused: list[Refusal] = []

    def is_relay(self) -> bool:
        """Return whether a token that is in no page sends this: its address stands for many."""
        return self.grant is not None and self.grant.kind != "write"

    def drop(self, index: int, reason: DropReason, message: str) -> None:
        """End the journey of one event."""
        self.events[index] = None
        self.refused.append(Refusal(index, reason.value, message, dropped=True))

    def parameter(self, name: str) -> str:
        """Return a parameter of the query string, empty if it is absent."""
        pairs = parse_qsl(self.query.decode("latin-1"), keep_blank_values=True)
        return next((value for key, value in pairs if key == name), "")


def secret_in(headers: Mapping[bytes, bytes], query: bytes) -> str:
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
