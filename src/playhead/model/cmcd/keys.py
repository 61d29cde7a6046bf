"""Every key of CMCD: versions 1 and 2 of CTA-5004, and what libraries add to them."""

from collections.abc import Callable
from typing import Final

import msgspec

from playhead.model.cmcd import values
from playhead.model.cmcd.values import Value

VERSION_MAX: Final = 2
"""Newest version that is understood."""
CUSTOM_LENGTH_MAX: Final = 64
CUSTOM_KEYS_MAX: Final = 32
"""Custom keys kept of one record."""
_TEXT_MAX: Final = 2_048
_ENCODED_MAX: Final = 8_192

OBJECT_TYPES: Final = {
    "m": "manifest", "a": "audio", "v": "video", "av": "muxed", "i": "init", "c": "caption",
    "tt": "subtitle", "k": "key", "o": "other",
}  # fmt: skip
"""`ot`: what a request fetches, as `Request.kind` says it."""
STREAMING_FORMATS: Final = {
    "d": "MPEG DASH", "h": "HLS", "e": "HESP", "s": "Smooth Streaming", "o": "other",
}  # fmt: skip
STREAM_TYPES: Final = {"v": "on demand", "l": "live", "ll": "low-latency live"}
STATES: Final = {
    "s": "starting", "p": "playing", "k": "seeking", "r": "rebuffering", "a": "paused",
    "e": "ended", "f": "failed", "q": "stopped", "d": "preloading", "w": "rebuffering",
}  # fmt: skip
"""`sta`: what the player does, as `Event.state` says it."""
EVENTS: Final = {
    "ps": "play state change", "e": "error", "t": "time interval", "rr": "response received",
    "b": "background entered or left", "bc": "bitrate change", "c": "content id change",
    "h": "hostname change", "m": "mute", "um": "unmute", "pc": "player collapsed",
    "pe": "player expanded", "pr": "playback rate change", "as": "ad start", "ae": "ad end",
    "abs": "ad break start", "abe": "ad break end", "sk": "ad skipped", "ce": "custom event",
}  # fmt: skip


class Key(msgspec.Struct, frozen=True):
    """One key. `modes`: R request, E event. `repeats`: the same value comes again and again."""

    name: str
    meaning: str
    read: Callable[[str, int], Value]
    modes: str = "RE"
    unit: str = ""
    limit: int = CUSTOM_LENGTH_MAX
    words: dict[str, str] | None = None
    """What each token means; others are no value. None: any value."""
    repeats: bool = False
    versions: str = "2"


_NUMBER, _NUMBERS, _TEXT = values.whole, values.numbers, values.text
_TOKEN, _TRUTH, _TEXTS = values.token, values.truth, values.texts

_ALL: Final = (
    Key("ab", "aggregate encoded bitrate", _NUMBERS, unit="kbit/s", repeats=True),
    Key("lab", "lowest aggregate encoded bitrate", _NUMBERS, unit="kbit/s", repeats=True),
    Key("tab", "top aggregate encoded bitrate", _NUMBERS, unit="kbit/s", repeats=True),
    Key("br", "encoded bitrate", _NUMBERS, unit="kbit/s", repeats=True, versions="12"),
    Key("lb", "lowest encoded bitrate", _NUMBERS, unit="kbit/s", repeats=True),
    Key("tb", "top encoded bitrate", _NUMBERS, unit="kbit/s", repeats=True, versions="12"),
    Key("tpb", "top playable bitrate", _NUMBERS, unit="kbit/s", repeats=True),
    Key("d", "object duration", _NUMBER, unit="ms", repeats=True, versions="12"),
    Key("ot", "object type", _TOKEN, words=OBJECT_TYPES, repeats=True, versions="12"),
    Key("bl", "buffer length", _NUMBERS, unit="ms", repeats=True, versions="12"),
    Key("tbl", "target buffer length", _NUMBERS, unit="ms", repeats=True),
    Key("mtp", "measured throughput", _NUMBERS, unit="kbit/s", repeats=True, versions="12"),
    Key("pb", "bitrate at the playhead", _NUMBERS, unit="kbit/s", repeats=True),
    Key("dfa", "dropped frames so far", _NUMBER),
    Key("dl", "deadline of the request", _NUMBER, unit="ms", versions="12"),
    Key("ltc", "live latency", _NUMBER, unit="ms"),
    Key("nor", "next objects", values.addresses, limit=_TEXT_MAX, versions="12"),
    Key("nrr", "range of the next object", _TEXT, modes="R", versions="1"),
    Key("sn", "number of the report", _NUMBER),
    Key("sta", "player state", _TOKEN, words=STATES, repeats=True),
    Key("su", "needed urgently: start, seek or stall", _TRUTH, repeats=True, versions="12"),
    Key("cs", "signature of the content", _TEXT, limit=_TEXT_MAX),
    Key("cid", "content id", _TEXT, limit=128, repeats=True, versions="12"),
    Key("sid", "session id", _TEXT, versions="12"),
    Key("sf", "streaming format", _TOKEN, words=STREAMING_FORMATS, repeats=True, versions="12"),
    Key("st", "stream type", _TOKEN, words=STREAM_TYPES, repeats=True, versions="12"),
    Key("msd", "media start delay", _NUMBER, unit="ms"),
    Key("v", "CMCD version", _NUMBER, repeats=True, versions="12"),
    Key("bg", "player in the background", _TRUTH, repeats=True),
    Key("bs", "buffer starved since the last report", _TRUTH, repeats=True, versions="12"),
    Key("nr", "player is not rendering", _TRUTH, repeats=True),
    Key("bsa", "stalls so far", _NUMBERS),
    Key("bsd", "lengths of the stalls since the last report", _NUMBERS, unit="ms"),
    Key("bsda", "length of all stalls so far", _NUMBERS, unit="ms"),
    Key("ec", "error codes", _TEXTS, limit=256),
    Key("pr", "playback rate", values.decimal, repeats=True, versions="12"),
    Key("pt", "playhead time", _NUMBER, unit="ms"),
    Key("rtp", "requested maximum throughput", _NUMBER, unit="kbit/s", repeats=True, versions="12"),
    Key("e", "event", _TOKEN, modes="E", repeats=True),
    Key("ts", "time of the event", _NUMBER, modes="E", unit="ms since 1970"),
    Key("cen", "name of the custom event", _TEXT, modes="E"),
    Key("h", "host name the player reads from", _TEXT, modes="E", limit=128, repeats=True),
    Key("rc", "response code", _NUMBER, modes="E", repeats=True),
    Key("ttfb", "time to first byte", _NUMBER, modes="E", unit="ms"),
    Key("ttfbb", "time to first byte of the body", _NUMBER, modes="E", unit="ms"),
    Key("ttlb", "time to last byte", _NUMBER, modes="E", unit="ms"),
    Key("url", "address of the request", values.address, modes="E", limit=_TEXT_MAX),
    Key("cmsdd", "CMSD-Dynamic of the response", values.encoded, modes="E", limit=_ENCODED_MAX),
    Key("cmsds", "CMSD-Static of the response", values.encoded, modes="E", limit=_ENCODED_MAX),
    Key("smrt", "request tracing of the response", values.encoded, modes="E", limit=_ENCODED_MAX),
    Key("cdn", "CDN the player reads from (no key of the standard)", _TEXT, repeats=True),
)

KEYS: Final[dict[str, Key]] = {key.name: key for key in _ALL}
