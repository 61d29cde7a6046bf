"""What is known around a trouble of a view: the trouble, and the facts of its moment. Pure.

A trouble is a stall, a failure, a slow startup or a long seek. Its facts are what the player and the
CDN reported in a window that begins `LOOK_BACK_MS` before it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any, Final, Literal

import msgspec

from playhead.model import kinds
from playhead.model.states import State
from playhead.query.span import MINUTE_MS, ms_of

Row = Mapping[str, Any]
What = Literal["rebuffering", "ad_rebuffering", "startup", "seek", "failure"]
LOOK_BACK_MS: Final = 15_000
"""A buffer that ran out did so over its last seconds, and a heartbeat comes every ten: one is in it."""
DRAINING_MS: Final = 2_000
LOOK_AFTER_MS: Final = 1_000
"""What tells of the end of a trouble is often sent just after it."""
SLOW_STARTUP_MS: Final = 4_000
"""The startup score is 67 there: two thirds of a start that nobody notices."""
LONG_SEEK_MS: Final = 2_000
"""Up to here a seek is taken for the player's work; beyond, viewers take it for a stall."""
_STATES: Final[dict[str, tuple[What, int]]] = {
    State.REBUFFERING: ("rebuffering", 0),
    State.AD_REBUFFERING: ("ad_rebuffering", 0),
    State.STARTING: ("startup", SLOW_STARTUP_MS),
    State.SEEKING: ("seek", LONG_SEEK_MS),
}


class Request(msgspec.Struct, frozen=True):
    """A request as the player or the CDN told of it. Times in ms; `status` None = not said."""

    at_ms: int
    told_by: Literal["player", "cdn"]
    kind: str
    cdn: str
    cache: str
    status: int | None
    size: float | None
    ttfb_ms: float | None
    total_ms: float | None

    @property
    def failed(self) -> bool:
        """Return whether there was no answer, or one of 400 or above."""
        return self.status is not None and (self.status == 0 or self.status >= 400)


class Crowd(msgspec.Struct, frozen=True):
    """How the other views of that minute fared: over the same CDN, and over all others."""

    views: int = 0
    stalled: int = 0
    other_views: int = 0
    other_stalled: int = 0

    @property
    def share(self) -> float:
        """Return the share, 0 to 1, of stalled views over the same CDN."""
        return self.stalled / self.views if self.views else 0.0

    @property
    def other_share(self) -> float:
        """Return the same over other CDNs."""
        return self.other_stalled / self.other_views if self.other_views else 0.0


Crowds = Mapping[int, Mapping[str, tuple[int, int]]]
"""Minute (UTC ms) → CDN → (views, stalled views), the view itself left out."""


class Trouble(msgspec.Struct, frozen=True):
    """One thing that went wrong, and when; `index` is its interval's, -1 = none."""

    what: What
    from_ms: int
    to_ms: int
    index: int = -1

    @property
    def length_ms(self) -> int:
        """Return how long it lasted."""
        return self.to_ms - self.from_ms


class Facts(msgspec.Struct, frozen=True):
    """What is known of a trouble's moment. Events and requests are those of its window."""

    trouble: Trouble
    view: Row
    events: Sequence[Row]
    requests: Sequence[Request]
    before: Row | None
    """The interval before it."""
    bitrate_kbps: float | None
    cdn: str
    crowd: Crowd | None
    usual_ttfb_ms: float | None
    """Median over the requests of the view outside the window."""

    def values(self, name: str) -> list[float]:
        """Return what the events of the window say of a number, in order of time."""
        return [event[name] for event in self.events if event.get(name) is not None]

    @property
    def media(self) -> list[Request]:
        """Return the requests that are neither for a licence nor for ads."""
        return [one for one in self.requests if not is_licence(one.kind) and one.kind != "ad"]

    @property
    def measured_kbps(self) -> float | None:
        """Return bits over time from first to last byte of the window's media requests."""
        whole = [
            (one.size * 8, one.total_ms - (one.ttfb_ms or 0))
            for one in self.media
            if one.size and one.total_ms and one.total_ms > (one.ttfb_ms or 0) and not one.failed
        ]
        return sum(b for b, _ in whole) / sum(t for _, t in whole) if whole else None

    @property
    def throughput_kbps(self) -> float | None:
        """Return what requests measured, else the lowest the player estimated."""
        return self.measured_kbps or min(self.values("player_throughput_kbps"), default=None)

    @property
    def buffer_s(self) -> float | None:
        """Return the buffer last reported before the trouble, seconds."""
        known = [
            event["player_buffer_s"]
            for event in self.events
            if event.get("player_buffer_s") is not None and at_ms(event) < self.trouble.from_ms
        ]
        return known[-1] if known else None

    @property
    def fullest_s(self) -> float | None:
        """Return the fullest buffer reported before it began to run out, seconds.

        Right before a stall every buffer is empty, so the last `DRAINING_MS` say nothing.
        """
        known = [
            event["player_buffer_s"]
            for event in self.events
            if event.get("player_buffer_s") is not None
            and at_ms(event) <= self.trouble.from_ms - DRAINING_MS
        ]
        return max(known, default=None)

    def errors(self) -> list[Row]:
        """Return the player's errors in the window."""
        return [event for event in self.events if event.get("kind") == kinds.PLAYER_ERROR]


def troubles_of(view: Row) -> list[Trouble]:
    """Return the troubles of a view as `/v1/views/{id}` shows it, in order of time."""
    found = []
    for index, interval in enumerate(view["intervals"]):
        what, least_ms = _STATES.get(interval["state"], (None, 0))
        trouble = Trouble(what or "seek", _ms(interval["from"]), _ms(interval["to"]), index)
        if what is not None and trouble.length_ms > least_ms:
            found.append(trouble)
    fatal = [event for event in view["events"] if is_fatal(event)]
    if fatal or view["status"] == "failed":
        at = at_ms(fatal[-1]) if fatal else _ms(view["ended_at"])
        found.append(Trouble("failure", at, at))
    return sorted(found, key=lambda one: one.from_ms)


def facts_by(view: Row, crowds: Crowds) -> Callable[[Trouble], Facts]:
    """Return what gives the facts of a view's troubles.

    What was told is read once, not for each: a long view has thousands of events, and many troubles.
    """
    events = [(at_ms(event), event) for event in view["events"]]
    requests = [*_of_player(view["events"]), *map(_of_cdn, view.get("requests", ()))]
    return lambda trouble: _facts_of(trouble, view, crowds, events=events, requests=requests)


def _facts_of(
    trouble: Trouble,
    view: Row,
    crowds: Crowds,
    *,
    events: Sequence[tuple[int, Row]],
    requests: Sequence[Request],
) -> Facts:
    low, high = trouble.from_ms - LOOK_BACK_MS, trouble.to_ms + LOOK_AFTER_MS
    inside = [one for one in requests if low <= one.at_ms <= high]
    usual = [one.ttfb_ms for one in requests if one.ttfb_ms and not low <= one.at_ms <= high]
    intervals = view["intervals"]
    near = [event for at, event in events if low <= at <= high]
    cdn = _cdn(trouble, view)
    return Facts(
        trouble=trouble,
        view=view,
        events=near,
        requests=inside,
        before=intervals[trouble.index - 1] if trouble.index > 0 else None,
        bitrate_kbps=_bitrate(trouble, view, near),
        cdn=cdn,
        crowd=_crowd(trouble, cdn, crowds),
        usual_ttfb_ms=median(usual) if usual else None,
    )


def at_ms(event: Row) -> int:
    """Return when an event happened, UTC ms."""
    return _ms(event["at"])


def is_fatal(event: Row) -> bool:
    """Return whether an event ended playback by an error."""
    return event.get("kind") == kinds.PLAYER_ERROR and bool(event.get("error_fatal"))


def is_licence(text: str) -> bool:
    """Return whether the name of a request or an error is about DRM."""
    plain = text.lower()
    return any(sign in plain for sign in _LICENCE)


_LICENCE: Final = (
    "license", "licence", "drm", "widevine", "fairplay", "playready", "mediakey", "keysystem",
    "keyload", "encrypted",
)  # fmt: skip


def _of_player(events: Iterable[Row]) -> Iterable[Request]:
    for event in events:
        told = event.get("request")
        canceled = "cancel" in str(event.get("event_type", "")).lower()
        if event.get("kind") != kinds.REQUEST or not isinstance(told, dict) or canceled:
            continue
        failed = "failed" in str(event.get("event_type", "")).lower()
        yield Request(
            at_ms=at_ms(event),
            told_by="player",
            kind=str(told.get("kind") or "").lower(),
            cdn=told.get("cdn") or event.get("cdn") or "",
            cache="",
            status=0 if failed and told.get("status") is None else told.get("status"),
            size=told.get("bytes"),
            ttfb_ms=told.get("ttfbMs"),
            total_ms=told.get("totalMs"),
        )


def _of_cdn(row: Row) -> Request:
    return Request(
        at_ms=_ms(row["at"]),
        told_by="cdn",
        kind=str(row.get("object_type") or "").lower(),
        cdn=row.get("cdn") or "",
        cache=row.get("cache") or "",
        status=row.get("status"),
        size=row.get("bytes_out"),
        ttfb_ms=row.get("ttfb_ms"),
        total_ms=row.get("total_ms"),
    )


def _bitrate(trouble: Trouble, view: Row, events: Sequence[Row]) -> float | None:
    """Return the bitrate that was to be played: of the trouble, else before it, else after it."""
    intervals = view["intervals"]
    if trouble.index >= 0 and (own := intervals[trouble.index]["bitrate_kbps"]):
        return float(own)
    index = trouble.index if trouble.index >= 0 else len(intervals)
    before = [one["bitrate_kbps"] for one in intervals[:index] if one["bitrate_kbps"]]
    after = [one["bitrate_kbps"] for one in intervals[index + 1 :] if one["bitrate_kbps"]]
    said = [event["video_bitrate_kbps"] for event in events if event.get("video_bitrate_kbps")]
    # A start or a seek waits for what is played after it.
    order = (after[:1], said, before[-1:])
    if trouble.what not in {"startup", "seek"}:
        order = (before[-1:], said, after[:1])
    return next((float(one[0]) for one in order if one), None)


def _cdn(trouble: Trouble, view: Row) -> str:
    intervals = view["intervals"]
    near = intervals[trouble.index] if trouble.index >= 0 else (intervals or [{}])[-1]
    return near.get("cdn") or view.get("cdn") or ""


def _crowd(trouble: Trouble, cdn: str, crowds: Crowds) -> Crowd | None:
    if not cdn:
        return None
    found = []
    for minute in minutes_of(trouble):
        by_cdn = crowds.get(minute, {})
        others = [pair for name, pair in by_cdn.items() if name not in {cdn, ""}]
        views, stalled = by_cdn.get(cdn, (0, 0))
        sums = sum(one for one, _ in others), sum(one for _, one in others)
        found.append(Crowd(views, stalled, *sums))
    return max(found, key=lambda one: one.share, default=None)


def minutes_of(trouble: Trouble) -> tuple[int, ...]:
    """Return the minutes (UTC ms) in which a trouble began and ended."""
    edges = (trouble.from_ms, trouble.to_ms)
    return tuple(dict.fromkeys(at // MINUTE_MS * MINUTE_MS for at in edges))


def rises(values: Sequence[float]) -> list[float]:
    """Return by how much running totals grew from one to the next, where they did not begin anew."""
    return [b - a for a, b in pairwise(values) if b >= a]


def _ms(text: str) -> int:
    return ms_of(text.removesuffix("Z"))
