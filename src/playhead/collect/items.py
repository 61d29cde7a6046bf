"""The rows of a body: lines of NDJSON, a JSON array, or one object; each as its own bytes."""

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Final

import msgspec

from playhead.collect.columns import Fault
from playhead.errors import BodyTooLarge, InvalidBody, InvalidRequest
from playhead.model.telemetry import is_deeper, without_lone_surrogates

ROWS_MAX: Final = 500_000
"""Rows of one request."""
ROW_MAX_BYTES: Final = 1 << 20
"""A larger row is refused: it is decoded in one go, and nobody else has a turn meanwhile."""
PART_BYTES: Final = 512 * 1024
"""Bytes of rows that are read before other requests get their turn."""
FORMATS: Final = ("", "ndjson", "json")
"""What `format` may say; empty is found out from the body's first character."""
_BOM: Final = b"\xef\xbb\xbf"
_RAWS = msgspec.json.Decoder(Annotated[list[msgspec.Raw], msgspec.Meta(max_length=ROWS_MAX)])
_RAW = msgspec.json.Decoder(msgspec.Raw)
_LOOSE = msgspec.json.Decoder()
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def items_of(body: bytes, form: str, *, array_bytes_max: int) -> list[bytes]:
    """Return the rows of a body, not yet looked at; blank lines are none.

    Args:
        body: The bytes, unpacked.
        form: One of `FORMATS`.
        array_bytes_max: Largest JSON array: unlike lines it is read as a whole.

    Raises:
        InvalidRequest: `form` is none of them.
        InvalidBody: It says to be JSON and is none.
        BodyTooLarge: Too many rows, or too large an array.
    """
    if form not in FORMATS:
        raise InvalidRequest("format is ndjson or json. Nothing was stored.")
    body = body.removeprefix(_BOM).strip()
    first = body[:1]
    if form == "json" or (not form and first == b"["):
        return _of_json(body, array_bytes_max) if body else []
    if not form and first == b"{" and b"\n" in body and _is_one(body):
        return [body]
    if body.count(b"\n") >= ROWS_MAX:
        raise _too_many()
    return [line for line in map(bytes.strip, body.split(b"\n")) if line]


def parts_of(items: Sequence[bytes], most: int) -> Iterator[tuple[int, list[bytes]]]:
    """Yield rows in parts of at most so many and some `PART_BYTES`, each with its first index."""
    first = size = 0
    for index, item in enumerate(items, 1):
        size += len(item)
        if index - first == most or size >= PART_BYTES or index == len(items):
            yield first, list(items[first:index])
            first, size = index, 0


def _of_json(body: bytes, array_bytes_max: int) -> list[bytes]:
    if body[:1] not in {b"[", b"{"}:
        raise InvalidBody("The body is neither a JSON object nor an array of objects.")
    if body[:1] == b"{":
        return [body]
    if len(body) > array_bytes_max:
        raise BodyTooLarge(
            f"A JSON array has at most {array_bytes_max} bytes. Nothing of it was stored.",
            hint="Send one object a line (NDJSON), or raise collect.max_decompressed_bytes.",
        )
    try:
        return [bytes(raw) for raw in _RAWS.decode(body)]
    except msgspec.ValidationError as error:
        raise _too_many() from error
    except _UNREADABLE as error:
        raise InvalidBody(f"The body is no JSON: {error}. Nothing of it was stored.") from error


def _too_many() -> BodyTooLarge:
    return BodyTooLarge(
        f"The request holds more than {ROWS_MAX} rows. Nothing of it was stored.",
        hint="Send smaller batches.",
    )


def _is_one(body: bytes) -> bool:
    """Say whether a body of several lines is one JSON value."""
    try:
        _RAW.decode(body)
    except _UNREADABLE:
        return False
    return True


def value_of(item: bytes, *, max_depth: int) -> tuple[bytes, Any]:
    """Return a row's bytes, mended where half an emoji was cut off, and what they say.

    Raises:
        Fault: It is no JSON, too large, or nests deeper than `max_depth` levels.
    """
    if len(item) > ROW_MAX_BYTES:
        raise Fault("too_large", f"The row has more than {ROW_MAX_BYTES} bytes.")
    try:
        value = _LOOSE.decode(item)
    except _UNREADABLE as error:
        mended = without_lone_surrogates(item)
        if mended == item:
            raise Fault("invalid_json", f"The row is no JSON: {error}.") from error
        try:
            item, value = mended, _LOOSE.decode(mended)
        except _UNREADABLE as still:
            raise Fault("invalid_json", f"The row is no JSON: {still}.") from still
    if is_deeper(value, max_depth):
        raise Fault("too_deep", f"The row nests deeper than {max_depth} levels.")
    return item, value


def quoted(item: bytes, kept: Callable[[str], str] = str) -> bytes:
    """Return a refused row as the log keeps it: a JSON string of what may be kept of its text."""
    return msgspec.json.encode(kept(item.decode("utf-8", "replace")))
