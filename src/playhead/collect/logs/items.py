"""The items of a body: its lines, or the members of a JSON array."""

from collections.abc import Iterator
from typing import Final

import msgspec

from playhead.errors import BodyTooLarge, InvalidBody

LINES_MAX: Final = 300_000
"""Lines of one request, blank ones and comments too."""
ENVELOPES: Final = (
    "records", "Records", "logs", "events", "entries", "items", "data", "lines", "rows", "messages",
)  # fmt: skip
"""Names under which an object holds the list of lines."""
_BROKEN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_array: Final = msgspec.json.Decoder(list[msgspec.Raw])
_envelope: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_string: Final = msgspec.json.Decoder(str)


def chunks_of(
    body: bytes, *, is_text: bool, max_document_bytes: int, most: int, max_bytes: int
) -> Iterator[list[bytes]]:
    """Yield the items of a body in lists, none of them empty, each of about `max_bytes`.

    No item holds a line break, none is empty.

    Args:
        body: NDJSON, a JSON array of objects or of lines, an object that holds such an array
            under one of `ENVELOPES`, or lines of text; without white space at either end.
        is_text: The format is one of text lines; then a brace begins a line like any other.
        max_document_bytes: Largest JSON document that is not cut into lines.
        most: Most items of a list.
        max_bytes: After so many bytes a list ends with the item in hand.

    Raises:
        InvalidBody: It begins as an array and is none.
        BodyTooLarge: It is one JSON document of more than `max_document_bytes`, or has too many
            items.
    """
    if body[:1] == b"[" and (not is_text or body[1:64].lstrip()[:1] in {b'"', b"{"}):
        return _some(_members(body, max_document_bytes), most, max_bytes)
    if body[:1] == b"{":
        inside = _list_in(body, max_document_bytes)
        if inside is not None:
            return _some(inside, most, max_bytes)
    if body.count(b"\n") >= LINES_MAX:
        raise _too_many()
    return _lines(body, most, max_bytes)


def _too_many() -> BodyTooLarge:
    return BodyTooLarge(
        f"The request holds more than {LINES_MAX} lines. Nothing of it was stored.",
        hint="Send smaller batches.",
    )


def _lines(body: bytes, most: int, max_bytes: int) -> Iterator[list[bytes]]:
    # Cut piece by piece: as many lines exist at once as are worked on.
    start, size = 0, len(body)
    while start < size:
        end = body.find(b"\n", min(start + max_bytes, size))
        if end < 0:
            end = size
        # Tabs stay: an empty last column ends in one.
        found = [text for line in body[start:end].split(b"\n") if (text := line.strip(b" \r"))]
        yield from (found[at : at + most] for at in range(0, len(found), most))
        start = end + 1


def _some(items: Iterator[bytes], most: int, max_bytes: int) -> Iterator[list[bytes]]:
    found: list[bytes] = []
    room = max_bytes
    for item in items:
        found.append(item)
        room -= len(item)
        if len(found) == most or room <= 0:
            yield found
            found, room = [], max_bytes
    if found:
        yield found


def _members(array: bytes, max_document_bytes: int) -> Iterator[bytes]:
    if len(array) > max_document_bytes:
        raise BodyTooLarge(
            f"One JSON document may have {max_document_bytes} bytes. Nothing of it was stored.",
            hint="Send one object a line (NDJSON): that is limited by max_log_decompressed_bytes.",
        )
    try:
        members = _array.decode(array)
    except _BROKEN as error:
        raise InvalidBody(
            f"The body begins as a JSON array and is none: {error}. Nothing of it was stored.",
            hint="Send one object a line (NDJSON); then a broken line costs no other.",
        ) from error
    if len(members) > LINES_MAX:
        raise _too_many()
    return map(_item, members)


def _item(member: msgspec.Raw) -> bytes:
    text = bytes(member).strip()
    if text[:1] == b'"':
        try:
            text = _string.decode(text).encode()
        except (*_BROKEN, UnicodeEncodeError):
            return text
    # A line break inside JSON is white space; inside a line of text it cannot be.
    return b" ".join(text.splitlines()) or b'""'


def _list_in(body: bytes, max_document_bytes: int) -> Iterator[bytes] | None:
    """Return the list an object holds, the object itself if it is the only one; None for NDJSON."""
    try:
        found = _envelope.decode(body)
    except _BROKEN:
        return None
    for name in ENVELOPES:
        inside = bytes(found.get(name, b"")).strip()
        if inside[:1] == b"[":
            return _members(inside, max_document_bytes)
    return iter((b" ".join(body.splitlines()),))
