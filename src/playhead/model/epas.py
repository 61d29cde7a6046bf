"""Events of the Eyevinn Player Analytics Specification (EPAS, v0.2) to canonical events. Pure.

An event is `{event, sessionId, timestamp, playhead, duration, payload}`; -1 means unknown. The
specification gives `playhead` and `duration` in milliseconds, its published types in seconds, and
both are sent. `units_of` finds out which, for all events of one session in one request.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from playhead.model import kinds
from playhead.model.event import Device, Event, PlayerError, Quality

Units = Literal["ms", "s"]
Item = Mapping[str, Any]

UNITS: Final[tuple[Units, ...]] = ("ms", "s")
HEARTBEAT_INTERVAL_MS: Final = 30_000
METADATA: Final = "METADATA"
"""Carries attributes only; no kind of its own."""
KINDS: Final[dict[str, str]] = {
    "init": kinds.VIEW_INIT,
    "metadata": METADATA,
    "heartbeat": kinds.HEARTBEAT,
    "loading": kinds.PLAYER_READY,
    "loaded": kinds.PLAYER_READY,
    "playing": kinds.PLAYING,
    "resume": kinds.PLAYING,
    "paused": kinds.PAUSE,
    "buffering": kinds.BUFFER_START,
    "buffered": kinds.BUFFER_END,
    "seeking": kinds.SEEK_START,
    "seeked": kinds.SEEK_END,
    "bitrate_changed": kinds.QUALITY_CHANGE,
    "stopped": kinds.STOP,
    "error": kinds.PLAYER_ERROR,
    "warning": kinds.PLAYER_ERROR,
}
"""Names of events to kinds. Loading is no wish to play: a page may load what nobody starts."""
_STOPPED: Final[dict[str, str]] = {"ended": kinds.ENDED, "error": kinds.PLAYER_ERROR}

_DAY_S: Final = 86_400
"""A larger duration or playhead is in milliseconds: no content lasts longer than a day."""
_FIRST_SECOND_MS: Final = 1_000
_NEAR: Final = 0.1
_SAME: Final = (0.2, 3.0)
"""Growth of the playhead against the clock while something plays: rate 1, some stalls, some haste."""
_TAKEN: Final = frozenset(("event", "sessionId", "timestamp", "playhead", "duration", "payload"))
_TAKEN_OF_PAYLOAD: Final = frozenset((
    "live", "contentTitle", "contentId", "contentUrl", "drmType", "userId", "deviceId",
    "deviceModel", "deviceType", "bitrate", "width", "height", "reason", "category", "code",
    "message",
))  # fmt: skip


def session_of(item: Item) -> str:
    """Return the session an event belongs to, empty if it names none."""
    return _text(item.get("sessionId"))


def is_init(item: Item) -> bool:
    """Return whether an event opens a session."""
    return _text(item.get("event")).lower() == "init"


def units_of(items: Sequence[Item]) -> Units:
    """Return the unit of `playhead` and `duration`, for the events of one session in one request.

    The first of these that tells anything decides:

    1. how the playhead grows from event to event against `timestamp`, by majority: as fast is
       milliseconds, a thousandth is seconds;
    2. a playhead that is a date (live): near `timestamp` is milliseconds, near its thousandth
       seconds;
    3. a known duration: more than 86,400 is milliseconds (as seconds more than a day), else
       seconds (as milliseconds less than 87 s, which no programme is);
    4. a playhead of more than 86,400: milliseconds;
    5. a fraction, or a playhead between 0 and 1,000: seconds (as milliseconds the very first
       second);
    6. nothing: milliseconds, as the specification says.
    """
    return _by_growth(items) or _by_date(items) or _by_size(items)


def _by_growth(items: Sequence[Item]) -> Units | None:
    low, high = _SAME
    votes = 0
    for before, after in pairwise(items):
        start, end = _known(before, "playhead"), _known(after, "playhead")
        passed_ms = (_number(after.get("timestamp")) or 0) - (_number(before.get("timestamp")) or 0)
        if start is None or end is None or passed_ms <= 0:
            continue
        speed = (end - start) / passed_ms
        votes += (low <= speed <= high) - (low <= speed * 1_000 <= high)
    if not votes:
        return None
    return "ms" if votes > 0 else "s"


def _by_date(items: Sequence[Item]) -> Units | None:
    for item in items:
        playhead, at = _known(item, "playhead"), _number(item.get("timestamp"))
        if not playhead or not at:
            continue
        if abs(playhead / at - 1) < _NEAR:
            return "ms"
        if abs(playhead * 1_000 / at - 1) < _NEAR:
            return "s"
    return None


def _by_size(items: Sequence[Item]) -> Units:
    durations = [value for item in items if (value := _known(item, "duration"))]
    if durations:
        return "ms" if max(durations) > _DAY_S else "s"
    playheads = [value for item in items if (value := _known(item, "playhead"))]
    if not playheads or max(playheads) > _DAY_S:
        return "ms"
    fractions = any(value != int(value) for value in playheads)
    return "s" if fractions or max(playheads) < _FIRST_SECOND_MS else "ms"


def event_of(item: Item, units: Units) -> Event:
    """Return the canonical event of an EPAS event.

    Args:
        item: The event as JSON.
        units: What `playhead` and `duration` are in.

    Raises:
        ValueError: Its name, session or time is missing or unknown; the sentence says which.
    """
    name = _text(item.get("event")).lower()
    if name not in KINDS:
        raise ValueError(f"The event '{name[:64]}' is none of EPAS.")
    session = session_of(item)
    if not session:
        raise ValueError("The event has no sessionId.")
    at = _number(item.get("timestamp"))
    if at is None or at < 0:
        raise ValueError("The event has no timestamp in ms since 1970.")
    payload = item.get("payload")
    payload = payload if isinstance(payload, dict) else {}
    unit_s = 0.001 if units == "ms" else 1.0
    playhead, duration = _known(item, "playhead"), _known(item, "duration")
    event = Event(
        event_type=KINDS[name],
        timestamp=round(at),
        session_id=session,
        playback_position_sec=None if playhead is None else playhead * unit_s,
        duration_sec=None if not duration else duration * unit_s,
        heartbeat_interval_ms=HEARTBEAT_INTERVAL_MS,
        extra=_extra(item, payload),
    )
    _put_content(event, payload)
    if name == "bitrate_changed":
        event.quality = _quality(payload)
    elif name == "stopped":
        event.event_type = _STOPPED.get(_text(payload.get("reason")).lower(), kinds.STOP)
    if event.event_type == kinds.PLAYER_ERROR:
        event.error = _error(payload, fatal=name != "warning")
    return event


def _put_content(event: Event, payload: Item) -> None:
    """Put what metadata says of content, viewer and device; of an address only its host."""
    get = payload.get
    event.video_id = _text(get("contentId")) or None
    event.video_title = _text(get("contentTitle")) or None
    event.viewer_id = _text(get("userId")) or _text(get("deviceId")) or None
    live = get("live")
    if isinstance(live, bool):
        event.stream_type = "live" if live else "vod"
    event.host = _host(_text(get("contentUrl")))
    drm = _text(get("drmType"))
    if drm:
        event.custom = {"drmType": drm}
    category, model = _text(get("deviceType")).lower(), _text(get("deviceModel"))
    if category or model:
        event.device = Device(category=category or None, model=model or None)


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _quality(payload: Item) -> Quality:
    get = payload.get
    bitrate = _number(get("bitrate"))
    if bitrate is None or bitrate < 0:
        parts = [_number(get(name)) for name in ("videoBitrate", "audioBitrate")]
        known = [part for part in parts if part is not None and part >= 0]
        bitrate = sum(known) if known else None
    width, height = _number(get("width")), _number(get("height"))
    return Quality(
        bitrate_kbps=bitrate,
        width=width if width and width > 0 else None,
        height=height if height and height > 0 else None,
    )


def _error(payload: Item, *, fatal: bool) -> PlayerError:
    get = payload.get
    return PlayerError(
        code=_text(get("code")) or None,
        message=_text(get("message")) or None,
        category=_text(get("category")).lower() or None,
        fatal=fatal,
    )


def _extra(item: Item, payload: Item) -> dict[str, Any] | None:
    """Return what no field holds, under the name of the format."""
    rest = {key: value for key, value in item.items() if key not in _TAKEN}
    rest |= {key: value for key, value in payload.items() if key not in _TAKEN_OF_PAYLOAD}
    return {"epas": rest} if rest else None


def _known(item: Item, name: str) -> float | None:
    """Return a number of an event; -1 is unknown, 0 is 0."""
    value = _number(item.get(name))
    return None if value is None or value < 0 else value


def _number(value: object) -> float | None:
    """Return a number that fits any column, also one written as text; anything else is None."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < _NUMBER_MAX else None


_NUMBER_MAX: Final = 2**53


def _text(value: object) -> str:
    """Return a text, or a number's digits; anything else is empty."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ""
    return str(value) if abs(value) < _NUMBER_MAX else ""
