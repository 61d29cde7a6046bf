"""Why it went wrong: the likely causes of each stall, failure, slow startup and long seek. Pure.

Each rule looks at the facts of one trouble and either has a candidate, with the numbers it stands
on, or has none. Candidates are ranked by how sure they are, then by the order of `RULES`: first what
the player did itself or said in words (ad, seek, error), then what was measured of requests, then
what was measured of the line, then what only fits. How sure:

- `certain`: it was reported as such, or nothing else could have happened;
- `likely`: the numbers would be a strange accident otherwise;
- `possible`: it fits, and so may something else.

A low throughput never says whether the network or the CDN is slow. Three things do: the time to the
first byte, errors, and whether the other views over that CDN stalled while those over others did not.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any, Final, Literal

import msgspec

from playhead.model import kinds
from playhead.model.states import State
from playhead.query.trouble import (
    Crowds,
    Facts,
    Row,
    Trouble,
    at_ms,
    facts_by,
    is_fatal,
    is_licence,
    rises,
    troubles_of,
)

Confidence = Literal["certain", "likely", "possible"]
_SURE: Final[dict[str, int]] = {"certain": 0, "likely": 1, "possible": 2}
AD_BORDER_MS: Final = 2_000
"""The switch between content and ad reloads a source: its stall begins this near to the border."""
AFTER_SEEK_MS: Final = 1_000
"""A seek empties the buffer; a player reports its end when the first frames are there."""
SLOW_TTFB_MS: Final = 1_000
"""Five times what counts as slow in `/v1/cdn/kpis`, and half of a short segment's length."""
TTFB_RATIO: Final = 3.0
"""So much longer than usual for the view, or else a far-away viewer would always be told this."""
SLOW_LICENCE_MS: Final = 1_000
"""A licence is a few kilobytes: after this the server is waited for, not the line."""
SHORT_OF: Final = 0.8
"""Throughput below this share of the bitrate empties any buffer; between it and 1 it may be noise."""
ENOUGH: Final = 1.2
"""Above this share of the bitrate, overhead of requests included, the line was not the cause."""
TINY_BUFFER_S: Final = 2.0
"""Less than a usual segment: one late segment is a stall."""
UPSHIFT_MS: Final = 10_000
"""How long before a stall a switch upwards may have caused it: one or two segments."""
DROPPED_SHARE: Final = 0.10
"""Dropped frames from which on a picture visibly stands still."""
FRAMES_MIN: Final = 50
"""Two seconds of frames: fewer make no share."""
LIVE_EDGE_MS: Final = 6_000
"""Nearer to the edge than a few segments there is nothing more to buffer."""
CROWD_VIEWS_MIN: Final = 10
"""Other views needed on both sides before their stalls say anything."""
CROWD_SHARE: Final = 0.10
CROWD_RATIO: Final = 3.0
"""A CDN is in trouble when a tenth of its views stall, three times the share on other CDNs."""


class Candidate(msgspec.Struct, frozen=True):
    """A cause: its stable code, a sentence, how sure, and what it stands on."""

    code: str
    sentence: str
    confidence: Confidence
    evidence: list[dict[str, Any]] = []


Rule = Callable[[Facts], Candidate | None]


def causes_of(
    view: Row, crowds: Crowds | None = None, troubles: Sequence[Trouble] | None = None
) -> list[dict[str, Any]]:
    """Return each trouble of a view as `{what, from_ms, to_ms, index, cause, others}`, in time order.

    Args:
        view: A view as `/v1/views/{id}` shows it: `intervals`, `events`, `requests`, `status`, ….
        crowds: How other views fared, by minute and CDN; None = not known.
        troubles: Which of its troubles; None = all.
    """
    found = []
    facts_of = facts_by(view, crowds or {})
    for trouble in troubles_of(view) if troubles is None else troubles:
        facts = facts_of(trouble)
        ranked = candidates_of(facts)
        best, *others = map(msgspec.to_builtins, ranked or [_unknown(facts)])
        found.append(msgspec.structs.asdict(trouble) | {"cause": best, "others": others})
    return found


def candidates_of(facts: Facts) -> list[Candidate]:
    """Return what may have caused a trouble, the best first."""
    rules = (*_OF_FAILURES, *RULES) if facts.trouble.what == "failure" else RULES
    found = [one for rule in rules if (one := rule(facts)) is not None]
    return sorted(found, key=lambda one: _SURE[one.confidence])


def _not_allowed(facts: Facts) -> Candidate | None:
    for event in filter(is_fatal, facts.errors()):
        if event.get("error_category") == "business":
            code = _error_name(event)
            text = f"The service refused this viewer: {code}. Nothing broke."
            return Candidate("not_allowed", text, "certain", [_e("error_code", code)])
    if facts.view.get("playback_failed_business") or facts.view.get("startup_failed_business"):
        code = facts.view.get("fatal_error_code", "")
        text = f"The service refused this viewer: {code}. Nothing broke."
        return Candidate("not_allowed", text, "certain", [_e("fatal_error_code", code)])
    return None


def _media(facts: Facts) -> Candidate | None:
    signs = ("decode", "append", "codec", "demux", "media_err", "mediaerror", "parsing")
    for event in filter(is_fatal, facts.errors()):
        name = " ".join(str(event.get(f"error_{one}") or "") for one in ("code", "type", "details"))
        if any(sign in name.lower() for sign in signs) and not is_licence(name):
            text = f"The player could not decode what it got: {_error_name(event)}."
            return Candidate("media", text, "likely", [_e("error_code", _error_name(event))])
    return None


def _ad(facts: Facts) -> Candidate | None:
    trouble = facts.trouble
    if trouble.what == "ad_rebuffering":
        text = f"The stall of {_s(trouble.length_ms)} was inside an ad."
        return Candidate("ad", text, "certain", [_e("stall_ms", trouble.length_ms, "ms")])
    border = {kinds.AD_BREAK_START, kinds.AD_BREAK_END, kinds.AD_START, kinds.AD_END, kinds.AD_SKIP}
    if trouble.what == "startup":
        border = {kinds.AD_REQUEST, kinds.AD_ERROR}
    near = [
        abs(at_ms(event) - trouble.from_ms)
        for event in facts.events
        if event.get("kind") in border
        and (trouble.what == "startup" or abs(at_ms(event) - trouble.from_ms) <= AD_BORDER_MS)
    ]
    if facts.before is not None and facts.before["state"] in {State.AD, State.AD_REBUFFERING}:
        near.append(0)
    if not near or trouble.what == "failure":
        return None
    if trouble.what == "startup":
        text = f"The start of {_s(trouble.length_ms)} waited for a pre-roll ad among other things."
        return Candidate("ad", text, "possible", [_e("startup_ms", trouble.length_ms, "ms")])
    text = f"The stall began {_n(min(near))} ms from the border of an ad break: the player changed its source."
    return Candidate("ad", text, "likely", [_e("from_border_ms", min(near), "ms")])


def _seek(facts: Facts) -> Candidate | None:
    if facts.trouble.what != "rebuffering":
        return None
    since = [
        facts.trouble.from_ms - at_ms(event)
        for event in facts.events
        if event.get("kind") in {kinds.SEEK_START, kinds.SEEK_END}
    ]
    since = [one for one in since if 0 <= one <= AFTER_SEEK_MS]
    straight = facts.before is not None and facts.before["state"] == State.SEEKING
    if not since and not straight:
        return None
    ms = min(since, default=0)
    text = f"The stall began {_n(ms)} ms after a seek: what was buffered was for another place."
    sure: Confidence = "certain" if straight else "likely"
    return Candidate("seek", text, sure, [_e("since_seek_ms", ms, "ms")])


def _drm(facts: Facts) -> Candidate | None:
    for event in facts.errors():
        name = " ".join(str(event.get(f"error_{one}") or "") for one in ("code", "type", "details"))
        if is_licence(name):
            text = f"DRM failed: {_error_name(event)}."
            sure: Confidence = "certain" if is_fatal(event) else "likely"
            return Candidate("drm", text, sure, [_e("error_code", _error_name(event))])
    for one in filter(lambda one: is_licence(one.kind), facts.requests):
        if one.failed:
            text = f"The request for a DRM licence failed with status {one.status}."
            return Candidate("drm", text, "likely", [_e("status", one.status)])
        if (one.total_ms or 0) >= SLOW_LICENCE_MS:
            text = f"The DRM licence took {_n(one.total_ms)} ms."
            return Candidate("drm", text, "likely", [_e("licence_ms", one.total_ms, "ms")])
    return None


def _cdn_errors(facts: Facts) -> Candidate | None:
    failed = [one for one in facts.media if one.failed]
    network = [
        one for one in facts.errors() if "network" in str(one.get("error_type") or "").lower()
    ]
    if failed:
        statuses = ", ".join(sorted({str(one.status) for one in failed}))
        of = len(facts.media)
        text = f"{len(failed)} of {of} requests to {_cdn(facts)} failed (status {statuses}; 0 is no answer)."
        share = [_e("requests_failed", len(failed)), _e("requests", of), _e("statuses", statuses)]
        most = len(failed) >= 2 and len(failed) * 2 >= of
        sure: Confidence = "certain" if most else "likely" if len(failed) >= 2 else "possible"
        return Candidate("cdn_errors", text, sure, share)
    if not network:
        return None
    loads = "1 failed load" if len(network) == 1 else f"{len(network)} failed loads"
    text = f"The player reported {loads} from {_cdn(facts)}: {_error_name(network[-1])}."
    evidence = [_e("errors", len(network)), _e("error_code", _error_name(network[-1]))]
    # Told by the player alone it may be the line as well as the CDN.
    sure = "likely" if len(network) >= 2 or facts.trouble.what == "failure" else "possible"
    return Candidate("cdn_errors", text, sure, evidence)


def _cdn_slow(facts: Facts) -> Candidate | None:
    waits = [one.ttfb_ms for one in facts.media if one.ttfb_ms is not None and not one.failed]
    usual = facts.usual_ttfb_ms
    ttfb_ms = median(waits) if waits else 0.0
    if ttfb_ms < SLOW_TTFB_MS or (usual and ttfb_ms < TTFB_RATIO * usual):
        return None
    misses = sum(one.cache == "miss" for one in facts.media)
    text = (
        f"{_cdn(facts)} took {_n(ttfb_ms)} ms to the first byte (median of {len(waits)} requests)"
    )
    text += f", usually {_n(usual)} ms" if usual else ""
    text += f"; {misses} were cache misses, so the origin was waited for." if misses else "."
    evidence = [_e("ttfb_ms", ttfb_ms, "ms"), _e("requests", len(waits))]
    evidence += [_e("usual_ttfb_ms", usual, "ms")] if usual else []
    evidence += [_e("cache_misses", misses)] if misses else []
    long = facts.buffer_s is not None and ttfb_ms >= facts.buffer_s * 1000
    return Candidate("cdn_slow", text, "certain" if usual and long else "likely", evidence)


def _cdn_crowd(facts: Facts) -> Candidate | None:
    """Tell a CDN's trouble by the other views: theirs stalled, those over other CDNs did not."""
    crowd = facts.crowd
    if (
        crowd is None
        or min(crowd.views, crowd.other_views) < CROWD_VIEWS_MIN
        or crowd.share < max(CROWD_SHARE, CROWD_RATIO * crowd.other_share)
        or facts.trouble.what in {"failure", "ad_rebuffering"}
    ):
        return None
    text = (
        f"In that minute {crowd.share:.0%} of {crowd.views} other views over {_cdn(facts)} stalled, "
        f"of {crowd.other_views} over other CDNs {crowd.other_share:.0%}: it is not this viewer's line."
    )
    evidence = [
        _e("views_same_cdn", crowd.views), _e("stalled_same_cdn", round(crowd.share * 100, 1), "%"),
        _e("views_other_cdns", crowd.other_views),
        _e("stalled_other_cdns", round(crowd.other_share * 100, 1), "%"),
    ]  # fmt: skip
    return Candidate("cdn_slow", text, "likely", evidence)


def _network(facts: Facts) -> Candidate | None:
    got, wanted = facts.throughput_kbps, facts.bitrate_kbps
    if got is None or not wanted or got >= wanted:
        return None
    told = "requests measured" if facts.measured_kbps else "the player estimated"
    text = f"Data came at {_n(got)} kbit/s ({told}), less than the {_n(wanted)} kbit/s of the rendition."
    evidence = [_e("throughput_kbps", got, "kbit/s"), _e("bitrate_kbps", wanted, "kbit/s")]
    sure: Confidence = "likely" if got < SHORT_OF * wanted else "possible"
    return Candidate("network", text, sure, evidence)


def _buffer_policy(facts: Facts) -> Candidate | None:
    got, wanted, buffer_s = facts.throughput_kbps, facts.bitrate_kbps, facts.fullest_s
    if facts.trouble.what != "rebuffering" or got is None or not wanted:
        return None
    lower = _lower_kbps(facts, wanted)
    numbers = [_e("throughput_kbps", got, "kbit/s"), _e("bitrate_kbps", wanted, "kbit/s")]
    if got < wanted and lower is not None and got >= ENOUGH * lower and _just_rose(facts, wanted):
        text = (
            f"The player went up to {_n(wanted)} kbit/s on a line of {_n(got)} kbit/s just before; "
            f"it had {_n(lower)} kbit/s to choose."
        )
        return Candidate(
            "buffer_policy", text, "likely", [*numbers, _e("lower_kbps", lower, "kbit/s")]
        )
    if got >= ENOUGH * wanted and buffer_s is not None and buffer_s < TINY_BUFFER_S:
        text = (
            f"The line was fast enough ({_n(got)} for {_n(wanted)} kbit/s), but the player never had more "
            f"than {buffer_s:.1f} s buffered."
        )
        return Candidate(
            "buffer_policy", text, "likely", [*numbers, _e("buffer_most_s", buffer_s, "s")]
        )
    return None


def _device(facts: Facts) -> Candidate | None:
    dropped = sum(rises(facts.values("player_dropped_frames")))
    decoded = sum(rises(facts.values("player_decoded_frames")))
    frames = max(decoded, dropped)
    if frames < FRAMES_MIN or dropped / frames < DROPPED_SHARE:
        return None
    text = f"The device dropped {_n(dropped)} of {_n(frames)} frames ({dropped / frames:.0%})."
    full = facts.buffer_s is not None and facts.buffer_s >= TINY_BUFFER_S
    if full:
        text += f" {facts.buffer_s:.1f} s were buffered: media was there."
    evidence = [_e("dropped_frames", dropped, "frames"), _e("frames", frames, "frames")]
    evidence += [_e("buffer_s", facts.buffer_s, "s")] if facts.buffer_s is not None else []
    return Candidate("device", text, "likely" if full else "possible", evidence)


def _hidden(facts: Facts) -> Candidate | None:
    before = [event for event in facts.events if at_ms(event) <= facts.trouble.from_ms]
    if not any(event.get("hidden") for event in before[-1:]):
        return None
    text = "The tab was hidden: browsers slow down timers and loading there."
    return Candidate("hidden", text, "possible", [_e("hidden", value=True)])


def _live_edge(facts: Facts) -> Candidate | None:
    latency = facts.values("live_latency_ms")
    if facts.view.get("stream_type") != "live" or facts.trouble.what != "rebuffering":
        return None
    buffer_s = facts.buffer_s
    near = bool(latency) and min(latency) <= LIVE_EDGE_MS
    small = buffer_s is not None and buffer_s <= LIVE_EDGE_MS / 1000
    got, wanted = facts.throughput_kbps, facts.bitrate_kbps
    short = got is not None and wanted is not None and got < wanted
    if short or not (near or (small and not latency)):
        return None
    text = "The player was at the live edge, where there is nothing more to buffer"
    text += f": {_n(min(latency))} ms behind it" if latency else ""
    text += f", {buffer_s:.1f} s buffered." if buffer_s is not None else "."
    evidence = [_e("live_latency_ms", min(latency), "ms")] if latency else []
    evidence += [_e("buffer_s", buffer_s, "s")] if buffer_s is not None else []
    return Candidate("live_edge", text, "likely" if near and small else "possible", evidence)


_OF_FAILURES: Final[tuple[Rule, ...]] = (_not_allowed, _media)
RULES: Final[tuple[Rule, ...]] = (
    _ad, _seek, _drm, _cdn_errors, _cdn_slow, _cdn_crowd, _device, _buffer_policy, _network,
    _live_edge, _hidden,
)  # fmt: skip
"""The crowd before the line: both are low throughput, and only the crowd tells whose."""
CODES: Final = (
    "ad", "seek", "drm", "cdn_errors", "cdn_slow", "device", "buffer_policy", "network",
    "live_edge", "hidden", "not_allowed", "media", "unknown",
)  # fmt: skip


def _unknown(facts: Facts) -> Candidate:
    missing = [
        name
        for name, known in (
            ("requests of the player or of CDN logs", facts.requests),
            ("the player's throughput", facts.throughput_kbps is not None),
            ("the buffer's length before it", facts.buffer_s is not None),
            ("the bitrate", facts.bitrate_kbps),
            ("the CDN's name", facts.cdn),
        )
        if not known
    ]
    text = "Nothing that was reported explains it"
    text += f"; not reported: {', '.join(missing)}." if missing else "; all that was looks healthy."
    return Candidate("unknown", text, "possible", [_e("missing", name) for name in missing])


def _lower_kbps(facts: Facts, wanted: float) -> float | None:
    """Return the highest bitrate below the one played that the view is known to have had."""
    known = {one["bitrate_kbps"] for one in facts.view["intervals"]}
    known |= {event.get("video_bitrate_kbps") for event in facts.view["events"]}
    return max((float(one) for one in known if one and one < wanted), default=None)


def _just_rose(facts: Facts, wanted: float) -> bool:
    since = facts.trouble.from_ms - UPSHIFT_MS
    changed = [
        event
        for event in facts.events
        if event.get("kind") == kinds.QUALITY_CHANGE
        and since <= at_ms(event) <= facts.trouble.from_ms
    ]
    return any(event.get("video_bitrate_kbps") == wanted for event in changed)


def _error_name(event: Mapping[str, Any]) -> str:
    names = ("error_code", "error_details", "error_type", "error_message")
    return next((str(event[name]) for name in names if event.get(name)), "no code")


def _e(field: str, value: Any, unit: str = "") -> dict[str, Any]:
    shown = round(value, 3) if isinstance(value, float) else value
    return {"field": field, "value": shown, "unit": unit}


def _cdn(facts: Facts) -> str:
    return facts.cdn or "the CDN"


def _n(value: float | None) -> str:
    return f"{value or 0:,.0f}"


def _s(ms: float) -> str:
    return f"{ms / 1000:.1f} s"
