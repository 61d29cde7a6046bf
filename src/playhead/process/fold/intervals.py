"""State intervals: the view's past as a list, and its open segment.

The open segment runs from `state.since` in `state.mode`; `switch` closes it. What was believed can
turn out wrong later (a recovery that was none, a stall seen only afterwards): `relabel` rewrites
the past from a moment on. Times, counts and the timeline all derive from these intervals.
"""

from typing import Final

from playhead.process.fold.state import (
    NONE,
    PLAYING,
    REBUFFERING,
    SEEKING,
    STARTING,
    UNKNOWN,
    Interval,
    Limits,
    ViewState,
)

_REWRITABLE: Final = frozenset((PLAYING, REBUFFERING, SEEKING))
"""States that turn into each other when more is known; the others were said, not guessed."""
_NOT_WAITING: Final = frozenset(("paused", "ad", "ad_rebuffering"))


def push(state: ViewState, until: int) -> None:
    """Close the open segment at a moment and open the next one there, in the same mode."""
    since = state.since
    if until > since and since != NONE:
        mode = state.mode
        if state.intent_at == NONE or since < state.intent_at:
            pass  # nothing was wanted yet: a player that merely stands there is no view
        elif mode == STARTING and state.hidden:
            _append(state, (UNKNOWN, since, until, *_still(state)))
            state.hidden_ms += until - since
            state.startup_apart_ms += until - since
        else:
            _append(state, segment(state, until))
            if not state.content_started and mode in _NOT_WAITING:
                state.startup_apart_ms += until - since
    if until > since:
        state.since = until
    state.since_position = state.position


def segment(state: ViewState, until: int) -> Interval:
    """Return the open segment as an interval that ends at a moment."""
    return (
        state.mode, state.since, until, state.since_position, state.position,
        state.bitrate_kbps, state.height, state.cdn, state.scale, state.media_rate,
    )  # fmt: skip


def _still(state: ViewState) -> tuple[float, float, float, int, str, float, float]:
    """Return the rest of an interval in which the playhead stands."""
    return (
        state.position, state.position,
        state.bitrate_kbps, state.height, state.cdn, state.scale, state.media_rate,
    )  # fmt: skip


def _append(state: ViewState, interval: Interval) -> None:
    intervals = state.intervals
    if intervals:
        last = intervals[-1]
        if last[2] == interval[1] and last[0] == interval[0] and last[5:] == interval[5:]:
            intervals[-1] = (*last[:2], interval[2], last[3], interval[4], *last[5:])
            return
    intervals.append(interval)


def switch(state: ViewState, mode: str, moment: int) -> None:
    """Go over to a mode at a moment; one that lies before the open segment rewrites the past."""
    if moment < state.since:
        relabel(state, moment, mode)
        return
    push(state, moment)
    state.mode = mode


def relabel(state: ViewState, moment: int, mode: str) -> None:
    """Say that since a moment the view was in another mode, and still is.

    Goes back only over states that were guessed (playing, rebuffering, seeking).
    """
    if state.since <= moment or state.since == NONE:
        push(state, moment)
        state.mode = mode
        return
    intervals = state.intervals
    at = len(intervals)
    while at and intervals[at - 1][2] > moment and intervals[at - 1][0] in _REWRITABLE:
        at -= 1
        old = intervals[at]
        if old[1] < moment:
            split = _position_at(old, moment)
            intervals[at] = (*old[:2], moment, old[3], split, *old[5:])
            intervals.insert(at + 1, (mode, moment, old[2], split, *old[4:]))
            break
        intervals[at] = (mode, *old[1:])
    state.mode = mode


def rewrite(state: ViewState, start: int, end: int, mode: str) -> None:
    """Insert a past stretch of another mode into what is playing; playing goes on after it."""
    back_to = state.mode
    relabel(state, start, mode)
    if end > state.since:
        push(state, end)
        state.mode = back_to
        return
    relabel(state, end, back_to)


def carve(state: ViewState, length: int, after: int, mode: str, *, least: int) -> int:
    """Turn the last stretch of playing, up to `length` ms of it after a moment, into another mode.

    Returns:
        How much became of it (ms): 0 where less than `least` was played.
    """
    intervals = state.intervals
    last = len(intervals)
    while last and intervals[last - 1][0] != PLAYING:
        last -= 1
    if not last:
        return 0
    end = begin = intervals[last - 1][2]
    first = last
    while first and begin > end - length:
        before = intervals[first - 1]
        if before[0] != PLAYING or before[2] != begin or begin <= after:
            break
        begin = before[1]
        first -= 1
    start = max(begin, end - length, after)
    if end - start < least:
        return 0
    old = intervals[first]
    parts = [(mode, *part[1:]) for part in intervals[first:last]]
    if old[1] < start:
        split = _position_at(old, start)
        parts[0] = (mode, start, old[2], split, *old[4:])
        parts.insert(0, (*old[:2], start, old[3], split, *old[5:]))
    intervals[first:last] = parts
    return end - start


def insert_unknown(state: ViewState, start: int, end: int) -> None:
    """Mark a stretch of which nobody knows anything; the mode goes on after it."""
    if end <= start:
        return
    push(state, start)
    if state.intent_at != NONE and state.since == start and state.mode != "idle":
        _append(state, (UNKNOWN, start, end, *_still(state)))
    state.since = end


def _position_at(interval: Interval, moment: int) -> float:
    """Return the content position at a moment inside an interval, by straight line."""
    _, start, end, first, last = interval[:5]
    if first < 0 or last < 0 or end <= start:
        return last
    return first + (last - first) * (moment - start) / (end - start)


def compact(state: ViewState, limits: Limits) -> None:
    """Sum up and drop the oldest quarter of the intervals once there are too many."""
    if len(state.intervals) <= limits.max_intervals:
        return
    count = max(1, limits.max_intervals // 4, len(state.intervals) - limits.max_intervals)
    add_up(state.older, state.intervals[:count])
    del state.intervals[:count]


def add_up(sums: dict[str, float], intervals: list[Interval]) -> None:
    """Add intervals to sums: ms by state, and by `cdn:<name>` the playing time of a CDN.

    `bitrate`, `bitrate_ms`, `up`, `down`, `scale_ms` are weighted by playing time, `media_ms` and
    `bits` are what the playback rate adds to it; `bitrate_max`, `up_max`, `down_max` are peaks,
    `rebuffering_max` and `seeking_max` the longest stretches.
    """
    get = sums.get
    bitrate_sum = peak = 0.0
    bitrate_ms = 0
    for mode, start, end, _, _, bitrate, _, cdn, scale, rate in intervals:
        length = end - start
        sums[mode] = get(mode, 0) + length
        if mode != PLAYING:
            continue
        if bitrate > 0:
            bitrate_sum += bitrate * length
            bitrate_ms += length
            if bitrate > peak:  # noqa: PLR1730  `max` costs twice as much, per interval
                peak = bitrate
            if rate != 1.0:
                more = length * (rate - 1.0)
                sums["media_ms"] = get("media_ms", 0.0) + more
                sums["bits"] = get("bits", 0.0) + bitrate * more
        if cdn:
            key = "cdn:" + cdn
            sums[key] = get(key, 0) + length
        if scale > 0:
            _add_scale(sums, scale, length)
    if bitrate_ms:
        sums["bitrate"] = get("bitrate", 0.0) + bitrate_sum
        sums["bitrate_ms"] = get("bitrate_ms", 0) + bitrate_ms
        sums["bitrate_max"] = max(get("bitrate_max", 0.0), peak)
    for names in _STRETCHES:
        if names[0] in sums:
            _add_stretches(sums, intervals, names)


_STRETCHES: Final = tuple(
    (mode, mode + "_since", mode + "_until", mode + "_max") for mode in (REBUFFERING, SEEKING)
)


def _add_stretches(
    sums: dict[str, float], intervals: list[Interval], names: tuple[str, str, str, str]
) -> None:
    """Find the longest stretch of a mode, across intervals that touch and across the sums."""
    mode, since_name, until_name, longest_name = names
    since, until = sums.get(since_name, NONE), sums.get(until_name, NONE)
    longest = sums.get(longest_name, 0.0)
    for interval in intervals:
        if interval[0] == mode:
            if interval[1] != until:
                since = interval[1]
            until = interval[2]
            longest = max(longest, until - since)
    sums[since_name], sums[until_name] = since, until
    sums[longest_name] = float(longest)


def _add_scale(sums: dict[str, float], scale: float, length: int) -> None:
    get = sums.get
    sums["scale_ms"] = get("scale_ms", 0) + length
    up = scale - 1.0 if scale > 1.0 else 0.0
    down = 1.0 - scale if scale < 1.0 else 0.0
    sums["up"] = get("up", 0.0) + up * length
    sums["down"] = get("down", 0.0) + down * length
    sums["up_max"] = max(get("up_max", 0.0), up)
    sums["down_max"] = max(get("down_max", 0.0), down)
