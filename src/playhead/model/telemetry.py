"""The telemetry body: bytes in, events and refusals out. Pure, used by the door and the worker.

Fast path: one typed decode of the whole array that also knows every field. Only a body with an
unknown field, a number where a string belongs or a faulty event takes the slow path, event by event.
"""

import re
from typing import Annotated, Any

import msgspec

from playhead.errors import InvalidBody
from playhead.model.cmcd.cmsd import hops_of
from playhead.model.event import (
    Ad,
    Buffering,
    Device,
    Engagement,
    Event,
    Network,
    Part,
    PlayerError,
    PlayerStats,
    Quality,
    Refusal,
    Request,
)

_STRINGS = frozenset({
    "eventId", "viewerId", "sessionId", "viewId", "videoId", "videoTitle", "streamType", "cdn",
    "host", "playerName", "playerVersion", "state", "experiment", "variant", "eventType",
})  # fmt: skip
_PART_STRINGS = {
    "quality": ("resolution", "codec"),
    "network": ("effectiveType",),
    "device": ("category", "model", "browser", "browserVersion", "os", "osVersion"),
    "error": ("type", "details", "code", "message", "category"),
    "ad": ("id", "position"),
    "request": ("kind", "host", "cdn", "cmsd"),
}
_INTEGERS = ("timestamp", "sentAt", "seq")
_PARTS: dict[str, type[Part]] = {
    "quality": Quality,
    "buffering": Buffering,
    "network": Network,
    "device": Device,
    "player": PlayerStats,
    "engagement": Engagement,
    "error": PlayerError,
    "ad": Ad,
    "request": Request,
}


def _names(struct: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(field.encode_name for field in msgspec.structs.fields(struct))


_KNOWN = _names(Event) - {"extra"}
_KNOWN_IN_PART = {name: _names(part) for name, part in _PARTS.items()}


ID_LENGTH_MAX = 256
"""Characters of an id; more is refused, so that no key of the store grows without bound."""
CMSD_LENGTH_MAX = 4_096
"""Characters of a CMSD header that are read."""
_IDS = frozenset({
    "event_type", "event_id", "viewer_id", "session_id", "view_id", "video_id", "experiment",
    "variant",
})  # fmt: skip
_COUNTED = frozenset({"timestamp", "sent_at", "seq"})
_Id = Annotated[str, msgspec.Meta(max_length=ID_LENGTH_MAX)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
"""What a browser can count exactly; it also fits every integer column."""
_Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


def _limited(name: str, kind: Any) -> Any:
    """Return the type of a field with the door's limits on ids and integers."""
    plain: Any = _Id if name in _IDS else _Count if name in _COUNTED else None
    if plain is None and kind in (int, int | None):
        plain = _Int64
    if plain is None:
        return kind
    return plain if kind in (int, str) else plain | None


def _tolerant(struct: type[msgspec.Struct], *, unknown: bool = True) -> Any:
    """Return the same struct with the door's limits; blind to unknown fields if `unknown`."""
    fields = []
    for field in msgspec.structs.fields(struct):
        part = _PARTS.get(field.name) if struct is Event else None
        if part is None:
            kind = _limited(field.name, field.type)
        else:
            kind = _tolerant(part, unknown=unknown) | None
        default = ... if field.required else field.default
        info = (
            msgspec.field(name=field.encode_name)
            if default is ...
            else msgspec.field(name=field.encode_name, default=default)
        )
        fields.append((field.name, kind, info))
    return msgspec.defstruct(
        f"Tolerant{struct.__name__}", fields, kw_only=True, forbid_unknown_fields=not unknown
    )


def _decoder_of(struct: Any) -> Any:
    return msgspec.json.Decoder(list[struct], strict=False)


_LIMITED: Any = _tolerant(Event, unknown=False)
_FAST = msgspec.json.Decoder(list[Event])
_CHECK = _decoder_of(_tolerant(Event))
_CHECK_KNOWN = _decoder_of(_LIMITED)
_LOOSE = msgspec.json.Decoder()
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def as_array(body: bytes) -> bytes:
    """Return the body as a JSON array: a single object is wrapped, an array stays."""
    text = body.strip()
    return text if text[:1] == b"[" else b"[" + text + b"]"


def without_lone_surrogates(body: bytes) -> bytes:
    """Return JSON with each half of a surrogate pair replaced by U+FFFD.

    A browser writes one where a script cut a title in the middle of an emoji; it is no Unicode, so
    no decoder takes it, but neither is it worth a viewer's whole batch.
    """
    return _ESCAPE.sub(lambda found: _REPLACEMENT if found[1] else found[0], body)


_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
"""One escape: a whole pair, else half of one (the group), else any other."""
_REPLACEMENT = rb"\ufffd"


def decode(array: bytes) -> list[Event | Refusal]:
    """Return each event of a JSON array, or why it is refused, in order.

    Raises:
        InvalidBody: The bytes are no JSON array at all.
    """
    try:
        events: list[Event | Refusal] = _FAST.decode(array)  # type: ignore[assignment]
    except _UNREADABLE:
        events = [_one(index, item, Event) for index, item in enumerate(_items(array))]
    for event in events:
        if isinstance(event, Event) and event.request is not None:
            _read_cmsd(event.request)
    return events


def _read_cmsd(request: Request) -> None:
    """Read what the servers on the way said; the CDN is the first that has a name."""
    if request.cmsd is None:
        return
    hops = hops_of(request.cmsd[:CMSD_LENGTH_MAX])
    request.cmsd = None
    request.hops = request.hops or hops or None
    if request.cdn is None:
        request.cdn = next((hop.name for hop in hops if hop.name), None)


def examine(array: bytes, *, max_depth: int) -> tuple[list[Event | None], list[Refusal]]:
    """Return each event of a JSON array, None where the door refuses it, and the refusals.

    This is `decode` with the door's limits. Where a body has unknown fields the events come
    without `extra`: the door needs none. Whatever passes here, `decode` can read later.

    Args:
        array: A JSON array.
        max_depth: Levels an event may nest, itself the first.

    Raises:
        InvalidBody: The bytes are no JSON array at all, or nested deeper than allowed.
    """
    try:
        events = _CHECK_KNOWN.decode(array)
    except _UNREADABLE:
        return _examine_items(array, max_depth)
    for event in events:
        if (event.custom is not None and is_deeper(event.custom, max_depth - 1)) or (
            event.extra is not None and is_deeper(event.extra, max_depth - 1)
        ):
            raise InvalidBody(_too_deep(max_depth))
    return events, []


def _examine_items(array: bytes, max_depth: int) -> tuple[list[Event | None], list[Refusal]]:
    """Do the same for a body with unknown fields or faults; what is skipped is looked at, too."""
    items = _items(array)
    if any(is_deeper(item, max_depth) for item in items):
        raise InvalidBody(_too_deep(max_depth))
    try:
        return _CHECK.decode(array), []
    except _UNREADABLE:
        found = [_one(index, item, _LIMITED) for index, item in enumerate(items)]
    return (
        [None if isinstance(one, Refusal) else one for one in found],
        [one for one in found if isinstance(one, Refusal)],
    )


def _too_deep(max_depth: int) -> str:
    return f"The body nests deeper than {max_depth} levels. Nothing of it was stored."


def is_deeper(value: Any, levels: int) -> bool:
    """Say whether a value nests more than `levels` deep, looking no deeper than that."""
    kind = type(value)
    if kind is dict:
        value = value.values()
    elif kind is not list:
        return False
    if levels <= 0:
        return True
    for inner in value:
        kind = type(inner)
        if (kind is dict or kind is list) and is_deeper(inner, levels - 1):
            return True
    return False


def _items(array: bytes) -> list[Any]:
    try:
        items = _LOOSE.decode(array)
    except _UNREADABLE as error:
        raise InvalidBody(f"The body is no JSON: {error}. Nothing of it was stored.") from error
    if not isinstance(items, list):
        raise InvalidBody("The body is neither a JSON object nor an array of objects.")
    return items


def _one(index: int, item: Any, struct: type[Event]) -> Event | Refusal:
    if not isinstance(item, dict):
        return Refusal(index, "not_an_object", "An event must be a JSON object.")
    fields, unknown = _split(item)
    try:
        event = msgspec.convert(_repair(fields), struct, strict=False)
    except (msgspec.ValidationError, ValueError, OverflowError) as error:
        return Refusal(index, _code_of(str(error)), str(error))
    if unknown:
        event.extra = unknown
    return event


def _code_of(message: str) -> str:
    if "of length" in message:
        return "id_too_long"
    return (
        "number_out_of_range" if "`int` <" in message or "`int` >" in message else "invalid_event"
    )


def _split(item: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the known fields and the unknown ones, those inside parts under the part's name."""
    fields = {key: value for key, value in item.items() if key in _KNOWN}
    unknown = {key: value for key, value in item.items() if key not in _KNOWN}
    given = unknown.get("extra")
    if isinstance(given, dict):  # as the fast path reads it, so that an event has one identity
        del unknown["extra"]
        unknown = {**given, **unknown}
    for name, known in _KNOWN_IN_PART.items():
        part = fields.get(name)
        if isinstance(part, dict) and not known.issuperset(part):
            fields[name] = {key: value for key, value in part.items() if key in known}
            unknown[name] = {key: value for key, value in part.items() if key not in known}
    return fields, unknown


def _repair(fields: dict[str, Any]) -> dict[str, Any]:
    """Make strings of numbers where strings belong, and integers of fractional times."""
    for key in _STRINGS & fields.keys():
        fields[key] = _text(fields[key])
    for key in _INTEGERS:
        if isinstance(fields.get(key), float):
            fields[key] = round(fields[key])
    for part, names in _PART_STRINGS.items():
        values = fields.get(part)
        if isinstance(values, dict):
            fields[part] = {k: _text(v) if k in names else v for k, v in values.items()}
    return fields


def _text(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value
