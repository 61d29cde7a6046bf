"""Cursors: where a page ended, as text that a caller keeps until it asks for the next one."""

import base64
from collections.abc import Callable
from typing import TypeVar

import msgspec

from playhead.errors import InvalidRequest
from playhead.query.span import EARLIEST_MS, LATEST_MS

P = TypeVar("P", bound=msgspec.Struct)


def cursor_text(place: msgspec.Struct) -> str:
    """Return a place as a caller may keep it."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read_cursor(text: str | None, kind: type[P], is_sound: Callable[[P], bool]) -> P | None:
    """Read a place again; None where there is no text.

    Raises:
        InvalidRequest: It is none, or one that no page can have ended at.
    """
    if text is None:
        return None
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        place = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=kind)
    except (ValueError, msgspec.DecodeError):
        place = None
    if place is None or not is_sound(place):
        hint = "Use meta.next_cursor of the page before, with the same parameters."
        raise InvalidRequest("The cursor cannot be read.", hint=hint) from None
    return place


def is_span(from_ms: int, to_ms: int) -> bool:
    """Return whether two moments (UTC ms) bound a span that can be asked for."""
    return EARLIEST_MS <= from_ms < to_ms < LATEST_MS
