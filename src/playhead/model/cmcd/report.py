"""A CMCD record to canonical events: what the player did, and the stalls it tells of afterwards."""

import re
from collections.abc import Sequence
from typing import Any, Final

from playhead.model import kinds
from playhead.model.cmcd.cmsd import hops_of, static_of
from playhead.model.cmcd.keys import OBJECT_TYPES, STATES
from playhead.model.cmcd.record import Cmcd
from playhead.model.cmcd.values import Pair
from playhead.model.event import Buffering, Event, PlayerError, PlayerStats, Quality, Request

HEARTBEAT_INTERVAL_MS: Final = 30_000
"""What the standard has players report by, if nothing else is agreed."""
STALLS_MAX: Final = 16
"""Stalls that one record may tell of as events of their own."""
CONTENT_CHANGE: Final = "CONTENT_CHANGE"

BY_STATE: Final[dict[str, str]] = {
    "s": kinds.PLAY, "p": kinds.PLAYING, "k": kinds.SEEK_START, "r": kinds.BUFFER_START,
    "w": kinds.BUFFER_START, "a": kinds.PAUSE, "e": kinds.ENDED, "f": kinds.PLAYER_ERROR,
    "q": kinds.STOP, "d": kinds.VIEW_INIT,
}  # fmt: skip
"""`sta` of a state change (`e=ps`) to the kind of event."""
BY_EVENT: Final[dict[str, str]] = {
    "t": kinds.HEARTBEAT, "ps": kinds.HEARTBEAT, "e": kinds.PLAYER_ERROR, "rr": kinds.REQUEST,
    "b": kinds.VISIBILITY, "bc": kinds.QUALITY_CHANGE, "c": CONTENT_CHANGE, "h": kinds.CDN_CHANGE,
    "m": "MUTE", "um": "UNMUTE", "pc": "PLAYER_COLLAPSE", "pe": "PLAYER_EXPAND",
    "pr": kinds.RATE_CHANGE, "as": kinds.AD_START, "ae": kinds.AD_END,
    "abs": kinds.AD_BREAK_START, "abe": kinds.AD_BREAK_END, "sk": kinds.AD_SKIP,
    "ce": kinds.CUSTOM,
}  # fmt: skip
"""`e` to the kind of event; a state change without a state is a sign of life."""
_OF_REQUESTS: Final = frozenset(("url", "ot", "br", "nor", "nrr", "d"))
_PICTURE: Final = frozenset(("v", "av", ""))
_MEDIA: Final = frozenset(("v", "av", "a"))
_TAKEN: Final = frozenset((
    "v", "e", "ts", "sid", "cid", "sn", "sta", "st", "msd", "ltc", "pt", "pr", "dfa", "h", "bg",
    "bsd", "cdn",
))  # fmt: skip
_TAKEN_BY_REQUEST: Final = _TAKEN.union(("url", "rc", "ttfb", "ttfbb", "ttlb", "d", "ot", "cmsdd"))
"""Keys that fields of an event hold, and those of a request's event."""
_NOT_STARTED: Final = frozenset(("s", "d", "w"))
"""States in which nothing has played yet: a delay told in them (dash.js 5.2) is none of the start."""
_PLAYED: Final = ("pb",)
_PLAYED_OR_FETCHED: Final = ("pb", "br", "ab")
_HOST_MAX: Final = 255
_AUTHORITY = re.compile(r"[^/?#]*")


def events_of(cmcd: Cmcd, received_at: int) -> list[Event]:
    """Return the events of a record: its stalls, then what it reports itself.

    All have the same time and the same `report_seq`; what no field of an event holds is in
    `extra.cmcd`.

    Args:
        cmcd: A record of a version that is understood.
        received_at: UTC ms; its time, where the record names none.
    """
    values: dict[str, Any] = cmcd.values
    kind = _kind_of(values)
    used: set[str] = set()
    event = _event_of(values, kind, received_at)
    event.quality = _quality_of(values, kind, used)
    event.player = _player_of(values, used)
    if kind == kinds.REQUEST:
        _put_request(event, values, used)
    elif kind == kinds.PLAYER_ERROR:
        event.error = _error_of(values, used)
    total_ms = _take(values, "bsda", used)
    if total_ms is not None:
        event.buffering = Buffering(total_ms=total_ms)
    if cmcd.custom:
        event.custom = cmcd.custom
    extra = _extra_of(values, kind, used)
    if extra:
        event.extra = {"cmcd": extra}
    stalls = values.get("bsd")
    if stalls:
        return [*_stalls_of(event, stalls), event]
    return [event]


def _kind_of(values: dict[str, Any]) -> str:
    event = values.get("e")
    state = values.get("sta")
    if event is None:
        return kinds.HEARTBEAT if _OF_REQUESTS.isdisjoint(values) else kinds.REQUEST
    if event == "ps" and state is not None:
        return BY_STATE[state]
    if event == "t" and state == "f":
        return kinds.PLAYER_ERROR
    return BY_EVENT.get(event, kinds.CUSTOM)


def _event_of(values: dict[str, Any], kind: str, received_at: int) -> Event:
    get = values.get
    position, hidden = get("pt"), get("bg")
    state, stream = get("sta"), get("st")
    if hidden is None and kind == kinds.VISIBILITY:
        hidden = False
    return Event(
        event_type=kind,
        timestamp=get("ts", received_at),
        view_id=get("sid"),
        playback_position_sec=None if position is None else position / 1000,
        state=None if state is None else STATES[state],
        startup_ms=None if state in _NOT_STARTED else get("msd"),
        video_id=get("cid"),
        stream_type=None if stream is None else "vod" if stream == "v" else "live",
        cdn=get("cdn"),
        host=get("h"),
        playback_rate=get("pr"),
        live_latency_ms=get("ltc"),
        heartbeat_interval_ms=HEARTBEAT_INTERVAL_MS,
        hidden=hidden,
        report_seq=get("sn"),
    )


def _take(values: dict[str, Any], key: str, used: set[str]) -> int | None:
    """Return the number of a list that is the picture's, else the first; note that it was used.

    A list of several stays among the further values, too: the field holds one of them.
    """
    pairs: list[tuple[int, str]] | None = values.get(key)
    if not pairs:
        return None
    if len(pairs) == 1:
        used.add(key)
    number = _of_picture(pairs)
    return pairs[0][0] if number is None else number


def _of_picture(pairs: Sequence[tuple[int, str]]) -> int | None:
    """Return the first number that is the picture's, None if there is none."""
    for number, kind in pairs:  # a generator expression here costs 0.5 µs a list
        if kind in _PICTURE:
            return number
    return None


def _quality_of(values: dict[str, Any], kind: str, used: set[str]) -> Quality | None:
    """Return the rendition on screen: what plays, else what is fetched; audio alone is none."""
    for key in _PLAYED if kind == kinds.REQUEST else _PLAYED_OR_FETCHED:
        number = _of_picture(values.get(key, ()))
        if number is not None:
            if len(values[key]) == 1:
                used.add(key)
            return Quality(bitrate_kbps=number)
    return None


def _player_of(values: dict[str, Any], used: set[str]) -> PlayerStats | None:
    throughput = _take(values, "mtp", used)
    buffered = _take(values, "bl", used)
    dropped = values.get("dfa")
    if throughput is None and buffered is None and dropped is None:
        return None
    return PlayerStats(
        throughput_kbps=throughput,
        buffer_length_sec=None if buffered is None else buffered / 1000,
        dropped_frames=dropped,
    )


def _put_request(event: Event, values: dict[str, Any], used: set[str]) -> None:
    """Put the media request of a record, and the host it went to where the player names none."""
    get = values.get
    url, dynamic = get("url"), get("cmsdd")
    host = None if url is None else host_of(url)
    hops = hops_of(dynamic) if dynamic else None
    named = next((hop.name for hop in hops if hop.name), None) if hops else None
    kind = get("ot")
    event.request = Request(
        kind=None if kind is None else OBJECT_TYPES[kind],
        host=host or event.host,
        cdn=event.cdn or named,
        status=get("rc"),
        ttfb_ms=get("ttfb"),
        total_ms=get("ttlb"),
        bitrate_kbps=_take(values, "br", used),
        url=None if url is None else without_secrets(url),
        body_ms=get("ttfbb"),
        object_ms=get("d"),
        hops=hops or None,
    )
    if event.host is None and kind in _MEDIA:
        event.host = host


def host_of(url: str) -> str | None:
    """Return the host name of an absolute URL, without user and port; None if it has none."""
    scheme, found, rest = url.partition("//")
    if not found or (scheme and not scheme.endswith(":")):
        return None
    authority = _AUTHORITY.match(rest)[0].rpartition("@")[2]  # type: ignore[index]
    name = (
        authority.partition("]")[0] + "]" if authority[:1] == "[" else authority.partition(":")[0]
    )
    return name.lower()[:_HOST_MAX] or None


def without_secrets(url: str) -> str:
    """Return a URL without its parameters and without a user's name and password."""
    bare = url.partition("?")[0].partition("#")[0]
    scheme, found, rest = bare.partition("//")
    authority, slash, path = rest.partition("/")
    if not found or "@" not in authority:
        return bare
    return scheme + found + authority.rpartition("@")[2] + slash + path


def _error_of(values: dict[str, Any], used: set[str]) -> PlayerError:
    codes = [str(code) for code, _ in values.get("ec") or ()]
    used.add("ec")
    return PlayerError(
        code=codes[0] if codes else None,
        details=", ".join(codes[1:]) or None,
        fatal=values.get("sta") == "f",
    )


def _extra_of(values: dict[str, Any], kind: str, used: set[str]) -> dict[str, Any]:
    """Return what no field holds; CMSD-Static unpacked."""
    taken = _TAKEN_BY_REQUEST if kind == kinds.REQUEST else _TAKEN
    extra = {k: v for k, v in values.items() if k not in taken and k not in used}
    if kind == kinds.CUSTOM and "e" in values:
        extra["e"] = values["e"]
    if "cmsds" in extra:
        extra["cmsds"] = static_of(extra["cmsds"]) or extra["cmsds"]
    return extra


def _stalls_of(event: Event, pairs: list[Pair]) -> list[Event]:
    """Return an event for each stall that is over, told by its length alone.

    Players that count the picture's and the sound's stalls apart tell of one stall twice: only the
    picture's count. Two stalls of one length would be one and the same event but for their number.
    """
    lengths = [length for length, kind in pairs if kind in _PICTURE]
    lengths = lengths or [length for length, _ in pairs]
    return [
        Event(
            event_type=kinds.BUFFER_END,
            timestamp=event.timestamp,
            view_id=event.view_id,
            video_id=event.video_id,
            state=event.state,
            report_seq=event.report_seq,
            heartbeat_interval_ms=HEARTBEAT_INTERVAL_MS,
            buffering=Buffering(duration_ms=float(length)),
            extra={"cmcd": {"stall": index}},
        )
        for index, length in enumerate(lengths[:STALLS_MAX])
    ]
