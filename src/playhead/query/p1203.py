"""One view in the input form of ITU-T P.1203, so that its user may run a model of theirs on it.

Only the form is made here, no model: I11 (audio) and I13 (video) are segments end to end in media
time, I23 lists stalls as [media time, duration], the initial loading first; IGen is the device. All
in seconds and kbit/s. What a view does not know, the form's required fields included, is assumed
and said to be (`assumed`); what the form has no place for is counted (`left_out`).

The form: Recommendation ITU-T P.1203 (2017), clause 7, in the JSON its reference software reads.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

import msgspec

from playhead.model.states import State
from playhead.query.span import ms_of

Row = dict[str, Any]
STREAM_ID: Final = 1
AUDIO_KBPS: Final = 128
AUDIO_CODEC: Final = "aaclc"
VIDEO_CODEC: Final = "h264"
"""The one codec that the Recommendation itself covers."""
FPS: Final = 25.0
RESOLUTION: Final = "1280x720"
DISPLAY: Final = "1920x1080"
VIEWING_DISTANCE: Final = "150cm"
_CODECS: Final = (
    ("avc", "h264"), ("h264", "h264"), ("hvc1", "hevc"), ("hev1", "hevc"), ("hevc", "hevc"),
    ("h265", "hevc"), ("vp09", "vp9"), ("vp9", "vp9"), ("av01", "av1"), ("av1", "av1"),
)  # fmt: skip
_HANDHELD: Final = frozenset({"phone", "mobile", "tablet"})
_STALLED: Final = frozenset({State.REBUFFERING})
_LEFT_OUT: Final = frozenset({State.AD, State.AD_REBUFFERING, State.SEEKING, State.PAUSED})


class P1203(msgspec.Struct, frozen=True):
    """The input form of one view, what in it was assumed, and the ms it has no place for by state."""

    data: Row
    assumed: list[str]
    left_out: dict[str, int]


class _Picture(msgspec.Struct, frozen=True):
    """What events say of the rendition on screen from a moment on; None = not said."""

    at_ms: int = 0
    codec: str | None = None
    fps: float | None = None
    width: int | None = None
    height: int | None = None


_Parts = Mapping[str, Sequence[tuple[int, Any]]]
"""By part of a picture what was said of it and when (UTC ms), in order of time."""


def input_of(view: Row) -> P1203:
    """Return the input form of a view as `/v1/views/{id}` shows it."""
    assumed: dict[str, None] = {}
    pictures = _by_part(map(_picture, view["events"]))
    video: list[Row] = []
    stalls: list[list[float]] = []
    left_out: dict[str, int] = {}
    media_ms = 0
    startup_ms = view["startup_ms"]
    if startup_ms is None:
        startup_ms = _begun_ms(view["intervals"])
    stalls.append([0.0, _s(startup_ms)])
    for interval in view["intervals"]:
        state, length_ms = interval["state"], _length_ms(interval)
        if state == State.PLAYING and length_ms > 0:
            video.append(_segment(interval, media_ms, pictures, assumed))
            media_ms += length_ms
        elif state in _STALLED and length_ms > 0:
            stalls.append([_s(media_ms), _s(length_ms)])
        elif state in _LEFT_OUT:
            left_out[state] = left_out.get(state, 0) + length_ms
    data = {
        "I11": {"segments": _audio(media_ms, assumed), "streamId": STREAM_ID},
        "I13": {"segments": video, "streamId": STREAM_ID},
        "I23": {"stalling": stalls, "streamId": STREAM_ID},
        "IGen": _general(view, assumed),
    }
    return P1203(data, list(assumed), left_out)


def _segment(interval: Row, media_ms: int, pictures: _Parts, assumed: dict[str, None]) -> Row:
    picture = _at(pictures, ms_of_iso(interval["to"]))
    kbps = interval["bitrate_kbps"]
    if kbps is None:
        assumed["I13 bitrate 0: the bitrate of some intervals is not known"] = None
    return {
        "bitrate": float(kbps or 0),
        "codec": picture.codec or _assume(assumed, "I13 codec", VIDEO_CODEC),
        "duration": _s(_length_ms(interval)),
        "fps": picture.fps or _assume(assumed, "I13 fps", FPS),
        "resolution": _resolution(interval["height"], picture, assumed),
        "start": _s(media_ms),
    }


def _resolution(height: float | None, picture: _Picture, assumed: dict[str, None]) -> str:
    if picture.width and picture.height and height in (None, picture.height):
        return f"{picture.width}x{picture.height}"
    if not height:
        return str(_assume(assumed, "I13 resolution", RESOLUTION))
    assumed["I13 resolution: the width of 16:9, where only the height is known"] = None
    return f"{round(height * 16 / 9 / 2) * 2}x{round(height)}"


def _audio(media_ms: int, assumed: dict[str, None]) -> list[Row]:
    if not media_ms:
        return []
    _assume(assumed, "I11 codec", AUDIO_CODEC)
    _assume(assumed, "I11 bitrate", AUDIO_KBPS)
    return [
        {"bitrate": float(AUDIO_KBPS), "codec": AUDIO_CODEC, "duration": _s(media_ms), "start": 0.0}
    ]


def _general(view: Row, assumed: dict[str, None]) -> Row:
    device = "mobile" if view["device_class"] in _HANDHELD else "pc"
    if not view["device_class"]:
        _assume(assumed, "IGen device", device)
    elif view["device_class"] == "tv":
        assumed["IGen device pc: the form knows no tv"] = None
    size = next(filter(None, map(_screen, view["events"])), None)
    return {
        "displaySize": size or _assume(assumed, "IGen displaySize", DISPLAY),
        "device": device,
        "viewingDistance": _assume(assumed, "IGen viewingDistance", VIEWING_DISTANCE),
    }


def _screen(event: Row) -> str | None:
    width, height = event.get("client_screen_width"), event.get("client_screen_height")
    if not width or not height:
        return None
    ratio = event.get("client_pixel_ratio") or 1
    return f"{round(width * ratio)}x{round(height * ratio)}"


def _picture(event: Row) -> _Picture:
    width, height = event.get("video_width"), event.get("video_height")
    return _Picture(
        at_ms=ms_of_iso(event["at"]),
        codec=_codec(event.get("video_codec") or ""),
        fps=event.get("video_fps"),
        width=round(width) if width else None,
        height=round(height) if height else None,
    )


def _codec(text: str) -> str | None:
    return next((name for sign, name in _CODECS if sign in text.lower()), None)


def _by_part(pictures: Iterable[_Picture]) -> _Parts:
    """Return what was said of each part: a long view has thousands of events and of segments."""
    said: dict[str, list[tuple[int, Any]]] = {}
    for picture in pictures:
        for name in ("codec", "fps", "width", "height"):
            value = getattr(picture, name)
            if value is not None:
                said.setdefault(name, []).append((picture.at_ms, value))
    return {name: sorted(values, key=itemgetter(0)) for name, values in said.items()}


def _at(parts: _Parts, until_ms: int) -> _Picture:
    """Return what was last said before a moment of each part; before anything was, what came first."""
    found = {}
    for name, said in parts.items():
        place = bisect_left(said, until_ms, key=itemgetter(0))
        found[name] = said[max(0, place - 1)][1]
    return _Picture(**found)


def _begun_ms(intervals: Sequence[Row]) -> int:
    return sum(_length_ms(one) for one in intervals if one["state"] == State.STARTING)


def _length_ms(interval: Row) -> int:
    return ms_of_iso(interval["to"]) - ms_of_iso(interval["from"])


def _assume(assumed: dict[str, None], name: str, value: Any) -> Any:
    assumed[f"{name} {value}"] = None
    return value


def _s(ms: float) -> float:
    return round(ms / 1000, 3)


def ms_of_iso(text: str) -> int:
    """Return UTC milliseconds of a time as answers write it."""
    return ms_of(text.removesuffix("Z"))
