"""Content watched: which seconds of the video were played, as merged ranges."""

from bisect import bisect_left
from itertools import pairwise

from playhead.process.fold.state import NOWHERE, Limits, ViewState


def extend(state: ViewState, start: float, end: float) -> None:
    """Add a stretch of content that was played without a jump (seconds)."""
    if end > start:
        state.content_played_s += end - start
    if state.run_from < 0:
        state.run_from = start
        state.run_to = max(start, end)
    elif end > state.run_to:
        state.run_to = end


def cut(state: ViewState, limits: Limits) -> None:
    """End the present stretch: the playhead jumps."""
    if state.run_from >= 0:
        if state.run_to > state.run_from:
            insert(state.ranges, (state.run_from, state.run_to), limits.max_watched_ranges)
        state.run_from = NOWHERE
        state.run_to = NOWHERE


def insert(ranges: list[tuple[float, float]], new: tuple[float, float], most: int) -> None:
    """Insert a range into sorted, disjoint ranges, merging what touches it."""
    start, end = new
    first = bisect_left(ranges, (start, start))
    if first and ranges[first - 1][1] >= start:
        first -= 1
    last = first
    while last < len(ranges) and ranges[last][0] <= end:
        start = min(start, ranges[last][0])
        end = max(end, ranges[last][1])
        last += 1
    ranges[first:last] = [(start, end)]
    if len(ranges) > most:
        _join_nearest(ranges)


def _join_nearest(ranges: list[tuple[float, float]]) -> None:
    """Join the two neighbours with the smallest hole between them."""
    holes = [after[0] - before[1] for before, after in pairwise(ranges)]
    at = holes.index(min(holes))
    ranges[at : at + 2] = [(ranges[at][0], ranges[at + 1][1])]
