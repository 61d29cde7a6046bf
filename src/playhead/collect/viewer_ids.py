"""Ids of viewers at the doors: kept, replaced by those of a day, or left out.

What a browser with Global Privacy Control sends keeps no id that would outlive the day, whatever the
page asks for. The salt of a day is in memory only: nobody can tell afterwards who an id was.
"""

import hashlib
import json
from typing import Any, Final, Protocol

import msgspec

from playhead.collect.request import Request
from playhead.config import Privacy
from playhead.model.telemetry import as_array, without_lone_surrogates

GPC: Final = b"sec-gpc"
_FIELDS: Final = frozenset({"viewerId"})
NESTED_FIELDS: Final = frozenset({"viewerId", "userId", "deviceId"})
"""What names somebody in events of other forms, at any depth."""
UNREADABLE: Final = b"{"
"""Stands for what is no JSON, and may hold an id all the same."""
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Salted(Protocol):
    """Whoever has a salt of the day."""

    def of(self, at_ms: int) -> bytes:
        """Return the salt of the day of a time."""
        ...


class ViewerIds:
    """Says what becomes of the ids of a request, and does it.

    Args:
        privacy: The settings.
        salt: Of the day.
    """

    def __init__(self, privacy: Privacy, salt: Salted) -> None:
        self._privacy = privacy
        self._salt = salt

    def are_kept(self, request: Request) -> bool:
        """Return whether the ids of a request are kept as they are."""
        return self.way(request) in {"keep", "ignore"}

    def of_items(
        self, request: Request, items: list[bytes], *, nested: bool = False
    ) -> list[bytes]:
        """Return JSON events with their ids kept, replaced or left out.

        Args:
            request: Whose.
            items: The events; one that is no JSON becomes `UNREADABLE`, which is none either.
            nested: Look for `NESTED_FIELDS` at any depth.
        """
        if self.are_kept(request) or request.is_retried:
            return items
        return [self._item(request, item, nested=nested) for item in items]

    def applied(self, request: Request, text: bytes) -> bytes:
        """Return a JSON event or array of them with its ids kept, replaced or left out.

        What is no JSON comes back as it is: the door refuses all of it, and keeps none.
        """
        if self.are_kept(request) or request.is_retried:
            return text
        try:
            items = msgspec.json.decode(as_array(text))
        except _UNREADABLE:
            try:
                items = msgspec.json.decode(without_lone_surrogates(as_array(text)))
            except _UNREADABLE:
                return text
        for item in items:
            self._replace(request, item, _FIELDS)
        body = _encoded(items)
        return body if text.lstrip()[:1] == b"[" else body[1:-1]

    def _item(self, request: Request, text: bytes, *, nested: bool) -> bytes:
        try:
            item = msgspec.json.decode(text)
        except _UNREADABLE:
            return UNREADABLE
        self._replace(request, item, NESTED_FIELDS if nested else _FIELDS, nested=nested)
        return _encoded(item)

    def _replace(
        self, request: Request, item: Any, fields: frozenset[str], *, nested: bool = False
    ) -> None:
        """Replace ids in an event; in what lies inside it, too, if `nested`."""
        if isinstance(item, list) and nested:
            for inner in item:
                self._replace(request, inner, fields, nested=True)
        if not isinstance(item, dict):
            return
        for name, value in list(item.items()):
            if name in fields and value is not None:
                self._rename(request, item, name)
            elif nested:
                self._replace(request, value, fields, nested=True)

    def _rename(self, request: Request, item: dict[str, Any], name: str) -> None:
        named = str(item.pop(name))
        if self.way(request) == "daily" and named:
            salt = self._salt.of(request.received_at)
            mixed = hashlib.blake2b(key=salt, digest_size=12)
            mixed.update(f"{request.property}\0{named}".encode("utf-8", "surrogatepass"))
            item[name] = f"daily-{mixed.hexdigest()}"

    def way(self, request: Request) -> str:
        """Return what becomes of the ids of a request: `keep` or `ignore`, `daily`, `drop`."""
        privacy = self._privacy
        if request.headers.get(GPC, b"").strip() != b"1" or privacy.gpc == "ignore":
            return privacy.viewer_ids
        return "drop" if privacy.viewer_ids == "drop" else privacy.gpc


def _encoded(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except OverflowError:  # a number beyond 64 bits
        return json.dumps(value).encode()
