"""Event kinds: the canonical names and every alias that players in the field send."""

from typing import Final

VIEW_INIT: Final = "VIEW_INIT"
PLAYER_READY: Final = "PLAYER_READY"
PLAY: Final = "PLAY"
PLAYING: Final = "PLAYING"
PAUSE: Final = "PAUSE"
BUFFER_START: Final = "BUFFER_START"
BUFFER_END: Final = "BUFFER_END"
SEEK_START: Final = "SEEK_START"
SEEK_END: Final = "SEEK_END"
QUALITY_CHANGE: Final = "QUALITY_CHANGE"
RATE_CHANGE: Final = "RATE_CHANGE"
CDN_CHANGE: Final = "CDN_CHANGE"
NETWORK_CHANGE: Final = "NETWORK_CHANGE"
VISIBILITY: Final = "VISIBILITY"
HEARTBEAT: Final = "HEARTBEAT"
STATE: Final = "STATE"
PLAYER_ERROR: Final = "PLAYER_ERROR"
ENDED: Final = "ENDED"
STOP: Final = "STOP"
AD_BREAK_START: Final = "AD_BREAK_START"
AD_BREAK_END: Final = "AD_BREAK_END"
AD_REQUEST: Final = "AD_REQUEST"
AD_RESPONSE: Final = "AD_RESPONSE"
AD_START: Final = "AD_START"
AD_FIRST_QUARTILE: Final = "AD_FIRST_QUARTILE"
AD_MIDPOINT: Final = "AD_MIDPOINT"
AD_THIRD_QUARTILE: Final = "AD_THIRD_QUARTILE"
AD_END: Final = "AD_END"
AD_SKIP: Final = "AD_SKIP"
AD_PAUSE: Final = "AD_PAUSE"
AD_RESUME: Final = "AD_RESUME"
AD_ERROR: Final = "AD_ERROR"
REQUEST: Final = "REQUEST"
CUSTOM: Final = "CUSTOM"

_ALIASES: Final[dict[str, tuple[str, ...]]] = {
    VIEW_INIT: ("viewinit", "viewstart", "init", "videochange", "sourceset"),
    PLAYER_READY: ("playerready", "ready", "loadstart", "loaded", "canplay"),
    PLAY: ("play", "playrequest", "playbackrequest", "start", "starting"),
    PLAYING: ("playing", "firstframe", "playbackstart", "started", "resume", "resumed"),
    PAUSE: ("pause", "paused", "playbackpause"),
    BUFFER_START: (
        "bufferstart",
        "rebufferstart",
        "bufferingstart",
        "buffering",
        "waiting",
        "stalled",
        "stall",
        "playbackstall",
        "stallstart",
    ),
    BUFFER_END: ("bufferend", "rebufferend", "bufferingend", "buffered", "stallend"),
    SEEK_START: ("seekstart", "seeking", "seek"),
    SEEK_END: ("seekend", "seeked"),
    QUALITY_CHANGE: (
        "qualitychange",
        "renditionchange",
        "renditionupdate",
        "bitratechange",
        "bitratechanged",
        "levelswitched",
    ),
    RATE_CHANGE: ("ratechange", "playbackratechange"),
    CDN_CHANGE: ("cdnchange",),
    NETWORK_CHANGE: ("networkchange",),
    VISIBILITY: ("visibility", "visibilitychange", "background", "foreground"),
    HEARTBEAT: ("heartbeat", "hb", "ping", "progress", "timeupdate"),
    STATE: ("state", "statechange", "playbackmodechange"),
    PLAYER_ERROR: ("playererror", "error", "playbackfail", "fatal", "playbackerror"),
    ENDED: ("ended", "complete", "completed", "playbackfinish", "finish"),
    STOP: ("stop", "stopped", "viewend", "exit", "destroy", "unload"),
    AD_BREAK_START: ("adbreakstart",),
    AD_BREAK_END: ("adbreakend",),
    AD_REQUEST: ("adrequest",),
    AD_RESPONSE: ("adresponse", "adloaded"),
    AD_START: ("adstart", "adplay", "adplaying", "adimpression", "adstarted"),
    AD_FIRST_QUARTILE: ("adfirstquartile",),
    AD_MIDPOINT: ("admidpoint",),
    AD_THIRD_QUARTILE: ("adthirdquartile",),
    AD_END: ("adend", "adended", "adcomplete", "adcompleted"),
    AD_SKIP: ("adskip", "adskipped"),
    AD_PAUSE: ("adpause", "adpaused"),
    AD_RESUME: ("adresume", "adresumed"),
    AD_ERROR: ("aderror",),
    REQUEST: ("request", "requestcompleted", "requestfailed", "requestcanceled"),
    CUSTOM: ("custom",),
}

ALL: Final[tuple[str, ...]] = tuple(_ALIASES)

_BY_NAME: Final[dict[str, str]] = {
    alias: kind
    for kind, aliases in _ALIASES.items()
    for alias in (kind.lower().replace("_", ""), *aliases)
}
_SEEN: Final[dict[str, str]] = {kind: kind for kind in _ALIASES}
_SEEN_MAX: Final = 4_096


def kind_of(event_type: str) -> str:
    """Return the canonical kind of a wire name in any spelling; what is unknown is CUSTOM."""
    kind = _SEEN.get(event_type)
    if kind is not None:
        return kind
    plain = "".join(c for c in event_type.lower() if c.isalnum())
    kind = _BY_NAME.get(plain, CUSTOM)
    if len(_SEEN) < _SEEN_MAX:
        _SEEN[event_type] = kind
    return kind
