"""The picture: rendition, size on screen, frames and live latency.

Bitrate, height, CDN and scale are attributes of the open segment: when one changes, the segment
is closed, so all of them can be weighted by playing time afterwards.
"""

from typing import Final

from playhead.model.event import Event, PlayerStats, Quality
from playhead.process.fold.intervals import push
from playhead.process.fold.state import NOWHERE, PLAYING, Limits, ViewState

BITRATE_MAX_KBPS: Final = 1e7
SIZE_MAX_PX: Final = 100_000
PIXEL_RATIO_MAX: Final = 16.0
SCALE_MAX: Final = 100.0
FRAMES_MAX: Final = 1e12
LATENCY_MAX_MS: Final = 300_000
"""Viewers further behind are time-shifted, not live (metrics.md 1.1)."""


def take_quality(state: ViewState, quality: Quality, at: int) -> None:
    """Take the rendition on screen; count a shift when the bitrate (else the height) moved."""
    bitrate, width, height = state.bitrate_kbps, state.width, state.height
    if quality.bitrate_kbps == bitrate and quality.height == height and quality.width == width:
        return  # nearly always: heartbeats repeat the rendition
    if quality.bitrate_kbps is not None and 0 < quality.bitrate_kbps <= BITRATE_MAX_KBPS:
        bitrate = float(quality.bitrate_kbps)
    if quality.height is not None and 0 < quality.height <= SIZE_MAX_PX:
        height = round(quality.height)
        width = 0
        if quality.width is not None and 0 < quality.width <= SIZE_MAX_PX:
            width = round(quality.width)
    elif quality.resolution:
        width, height = _size_of(quality.resolution, width, height)
    if bitrate == state.bitrate_kbps and height == state.height and width == state.width:
        return
    push(state, at)
    _count_shift(state, bitrate, height)
    state.bitrate_kbps = bitrate
    state.width = width
    state.height = height
    state.scale = scale_of(state)


def _count_shift(state: ViewState, bitrate: float, height: int) -> None:
    before: float = state.bitrate_kbps
    after = bitrate
    if not before or before == after:
        before, after = state.height, height
    if not before:
        return  # the first rendition is no shift
    if after > before:
        state.upshifts += 1
    elif after < before:
        state.downshifts += 1


def _size_of(resolution: str, width: int, height: int) -> tuple[int, int]:
    """Read `720p` or `1280x720`; whatever else leaves the size as it was."""
    text = resolution[:16].lower().strip()
    wide, times, high = text.partition("x")
    if times and wide.isdecimal() and high.isdecimal():
        size = int(wide), int(high)
    elif text.endswith("p") and text[:-1].isdecimal():
        size = 0, int(text[:-1])
    else:
        return width, height
    return size if 0 < size[1] <= SIZE_MAX_PX and size[0] <= SIZE_MAX_PX else (width, height)


def take_size(state: ViewState, stats: PlayerStats, ratio: float | None, at: int) -> None:
    """Take the player's size in CSS pixels and the screen's pixel ratio."""
    width, height, pixels = state.player_width, state.player_height, state.pixel_ratio
    if stats.width is not None and 0 < stats.width <= SIZE_MAX_PX:
        width = float(stats.width)
    if stats.height is not None and 0 < stats.height <= SIZE_MAX_PX:
        height = float(stats.height)
    if ratio is not None and 0 < ratio <= PIXEL_RATIO_MAX:
        pixels = float(ratio)
    if (width, height, pixels) == (state.player_width, state.player_height, state.pixel_ratio):
        return
    push(state, at)
    state.player_width = width
    state.player_height = height
    state.pixel_ratio = pixels
    state.scale = scale_of(state)


def scale_of(state: ViewState) -> float:
    """Return how many device pixels show one pixel of video, on the axis that fits first."""
    scales = []
    if state.width > 0 and state.player_width > 0:
        scales.append(state.player_width * state.pixel_ratio / state.width)
    if state.height > 0 and state.player_height > 0:
        scales.append(state.player_height * state.pixel_ratio / state.height)
    return min(*scales, SCALE_MAX) if scales else NOWHERE


def take_frames(state: ViewState, stats: PlayerStats) -> None:
    """Take running totals of frames; a total that shrinks is a counter that began anew."""
    dropped = stats.dropped_frames
    if dropped is not None and 0 <= dropped <= FRAMES_MAX:
        if dropped < state.dropped_last:
            state.dropped_before += state.dropped_last
        state.dropped_last = float(dropped)
    decoded = stats.decoded_frames
    if decoded is not None and 0 <= decoded <= FRAMES_MAX:
        if decoded < state.decoded_last:
            state.decoded_before += state.decoded_last
        state.decoded_last = float(decoded)


def take_latency(state: ViewState, latency_ms: float, gap_ms: int, limits: Limits) -> None:
    """Weigh a live latency by the playing time since the previous event."""
    if state.mode == PLAYING and 0 <= latency_ms <= LATENCY_MAX_MS:
        weight = max(1, min(gap_ms, limits.heartbeat_timeout_ms))
        state.latency_sum += latency_ms * weight
        state.latency_weight_ms += weight


def take_cdn(state: ViewState, event: Event, at: int, limits: Limits) -> None:
    """Take the CDN the player reads from, from the event or from its media request."""
    cdn = event.cdn
    if not cdn and event.request is not None:
        cdn = event.request.cdn
        if event.request.host and not event.host:
            state.host = event.request.host[: limits.max_string]
    if cdn:
        cdn = cdn[: limits.max_string]
        if cdn != state.cdn:
            push(state, at)
            state.cdn = cdn
