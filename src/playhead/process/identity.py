"""Which view an event belongs to, and what makes it unique there."""

from hashlib import blake2b
from typing import Protocol

import msgspec

from playhead.model.event import Context, Event

_MAX_SEQ = 1 << 53
_ENCODER = msgspec.msgpack.Encoder()
_JSON_ENCODER = msgspec.json.Encoder()


class Named(Protocol):
    """Whatever says whose it is: an event, or what is read of one."""

    @property
    def view_id(self) -> str | None:
        """Return the id that the client gave the view."""

    @property
    def session_id(self) -> str | None:
        """Return the session's."""

    @property
    def viewer_id(self) -> str | None:
        """Return the viewer's."""


def view_key_of(event: Named, context: Context) -> tuple[str, bool]:
    """Return the unit of folding and whether the client named the view itself.

    Without a view id the unit is the session (else the viewer, else the anonymous id); its events
    are cut into views by time and video.
    """
    if event.view_id:
        return f"{context.property}/{event.view_id}", True
    if event.session_id:
        return f"{context.property}/s:{event.session_id}", False
    if event.viewer_id:
        return f"{context.property}/v:{event.viewer_id}", False
    return f"{context.property}/a:{context.anonymous_id}", False


def has_seq(event: Event) -> bool:
    """Return whether `seq` alone makes the event unique: only inside a view the client named."""
    return event.seq is not None and bool(event.view_id) and 0 <= event.seq < _MAX_SEQ


def identity_of(event: Event) -> int:
    """Return what makes the event unique within its view key, as an unsigned 64-bit integer.

    `seq` where it counts, else a hash of the event id, else of the whole event without the fields
    that a second sending changes.
    """
    if has_seq(event):
        return event.seq or 0
    if event.event_id:
        return _hash(event.event_id.encode())
    resent, event.sent_at = event.sent_at, None
    retried, event.retry_count = event.retry_count, None
    content = _content(event)
    event.sent_at, event.retry_count = resent, retried
    return _hash(content)


def _content(event: Event) -> bytes:
    try:
        return _ENCODER.encode(event)
    except OverflowError:  # a number beyond 64 bits in `custom` or `extra`: only JSON has those
        return _JSON_ENCODER.encode(event)


def _hash(content: bytes) -> int:
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "big")
