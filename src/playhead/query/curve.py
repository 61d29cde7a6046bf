"""Curves of an audience over the seconds of a title: pure maths, no SQL.

A curve is made of steps. A range of content watched from `a` to `b` is one edge up and one down: each
falls into a bin and changes the level there; summed over all views the steps say how many seconds were
watched in each bin, without looking at any view.
"""

import math
from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

import msgspec

BEYOND_NOISE: Final = 3.0
"""A moment stands out when it is so many standard deviations away."""
MAD_TO_DEVIATION: Final = 1.4826
"""The median absolute deviation times this estimates the standard deviation of a normal spread."""
STANDS_OUT: Final = 0.1
"""A spike or dip differs from its surroundings by at least this share of them."""
FALL_WINDOW: Final = 0.01
"""A fall is looked for within this share of the length."""
SURROUNDINGS: Final = 0.05
"""What is usual at a point is the median over this share of the length to both sides."""
SEGMENTS: Final = 20
"""The most and least engaging parts are among so many equal ones."""


class Step(msgspec.Struct, frozen=True):
    """What the edges in one bin add up to.

    `change`: edges up less edges down; `part`: the same, each times the seconds from the edge to the
    end of its bin.
    """

    change: int = 0
    part: float = 0.0


class Grid(msgspec.Struct, frozen=True):
    """The points of a curve: bins of `width_s` from 0 to `length_s`; the last may be narrower."""

    length_s: float
    width_s: int

    @property
    def points(self) -> int:
        """Return how many bins there are."""
        return math.ceil(self.length_s / self.width_s)

    def edges(self, index: int) -> tuple[float, float]:
        """Return a bin's start and end in seconds."""
        return index * self.width_s, min((index + 1) * self.width_s, self.length_s)


class Moment(msgspec.Struct, frozen=True):
    """A stretch of a curve, in points from `start` up to (not including) `end`, with its score."""

    start: int
    end: int
    score: float


def seconds(steps: Mapping[int, Step], grid: Grid) -> list[float]:
    """Return the seconds watched in each bin, summed over the views."""
    level = 0
    found = []
    for index in range(grid.points):
        step = steps.get(index, Step())
        found.append(max(0.0, level * grid.width_s + step.part))
        level += step.change
    return found


def present(started: Mapping[int, int], stopped: Mapping[int, int], points: int) -> list[int]:
    """Return how many views watched any of each bin: those that stop in a bin still do."""
    level = 0
    found = []
    for index in range(points):
        level += started.get(index, 0)
        found.append(level)
        level -= stopped.get(index, 0)
    return found


def falls(shares: Sequence[float], views: int, *, least: int, most: int) -> list[Moment]:
    """Return where the curve falls more than its usual slope, the largest fall first.

    The share of those present who leave within a window is compared with its median over the curve;
    the noise is the larger of its spread and what chance makes of as many leavers.

    Args:
        shares: Share of the views present at each point, 0 to 1.
        views: How many views that are.
        least: Fewest views that must be present, and lost.
        most: How many falls to return.

    Returns:
        Moments with the share of all views lost, beyond what is usual, as score.
    """
    window = max(1, round(len(shares) * FALL_WINDOW))
    rates = {
        i: 1 - shares[i + window] / shares[i]
        for i in range(len(shares) - window)
        if shares[i] * views >= max(1, least)
    }
    if len(rates) < 2:
        return []
    usual = max(0.0, median(rates.values()))
    spread = MAD_TO_DEVIATION * median(abs(rate - usual) for rate in rates.values())
    excess: dict[int, float] = {}
    for index, rate in rates.items():
        present_views = shares[index] * views
        chance = math.sqrt(max(1.0, usual * present_views)) / present_views
        if rate - usual > BEYOND_NOISE * max(spread, chance) and rate * present_views >= least:
            excess[index] = (rate - usual) * shares[index]
    found: list[Moment] = []
    for index in sorted(excess, key=lambda i: (-excess[i], i)):
        if len(found) == most:
            break
        if all(abs(index - other.start) > window for other in found):
            found.append(Moment(index, index + window, excess[index]))
    return [_tightened(shares, moment) for moment in found]


def _tightened(shares: Sequence[float], moment: Moment) -> Moment:
    """Cut the flat parts off both ends of a fall."""
    start, end = moment.start, moment.end
    while start + 1 < end and shares[start + 1] >= shares[start]:
        start += 1
    while end - 1 > start and shares[end - 1] <= shares[end]:
        end -= 1
    return Moment(start, end, moment.score)


def around(values: Sequence[float]) -> list[float]:
    """Return the median of each point's surroundings, alike on both sides and shorter at the ends."""
    half = max(2, round(len(values) * SURROUNDINGS))
    last = len(values) - 1
    held: list[float] = []
    low = high = 0
    found = []
    for index in range(len(values)):
        reach = min(half, index, last - index)
        while high <= index + reach:
            insort(held, values[high])
            high += 1
        while low < index - reach:
            held.pop(bisect_left(held, values[low]))
            low += 1
        found.append(held[len(held) // 2])
    return found


def standouts(values: Sequence[float], views: int, *, most: int, above: bool) -> list[Moment]:
    """Return where a curve rises above (or dips below) its surroundings, the strongest first.

    Args:
        values: Times each point was watched a view.
        views: How many views that are.
        most: How many moments to return.
        above: Spikes; False: dips.

    Returns:
        Moments with their mean by that of their surroundings as score: 1.5 = half as much again.
    """
    usual = around(values)
    rests = [value - base for value, base in zip(values, usual, strict=True)]
    spread = MAD_TO_DEVIATION * median(map(abs, rests)) if rests else 0.0
    sign = 1 if above else -1
    found: list[Moment] = []
    start: int | None = None
    for index in range(len(values) + 1):
        if index < len(values):
            chance = math.sqrt(max(1.0, usual[index] * views)) / views
            needed = max(BEYOND_NOISE * max(spread, chance), STANDS_OUT * usual[index])
            if sign * rests[index] > needed:
                start = index if start is None else start
                continue
        if start is not None:
            base = math.fsum(usual[start:index])
            score = math.fsum(values[start:index]) / base if base else 0.0
            if base:
                found.append(Moment(start, index, score))
            start = None
    found.sort(key=lambda one: (-sign * one.score, one.start))
    return found[:most]


def segments(values: Sequence[float]) -> list[Moment]:
    """Return equal parts of a curve, the most watched first; score: their mean by the whole's."""
    whole = math.fsum(values) / len(values) if values else 0.0
    if not whole:
        return []
    width = math.ceil(len(values) / SEGMENTS)
    parts = [Moment(at, min(at + width, len(values)), 0.0) for at in range(0, len(values), width)]
    scored = [
        Moment(one.start, one.end, math.fsum(values[one.start : one.end]) / (one.end - one.start) / whole)
        for one in parts
    ]  # fmt: skip
    return sorted(scored, key=lambda one: (-one.score, one.start))


def rank(value: float, others: Sequence[float]) -> float:
    """Return the share of the others that are less, equals counted half: 0 = least, 1 = most."""
    less = sum(other < value for other in others)
    equal = sum(other == value for other in others)
    return (less + equal / 2) / len(others)


def quantile(values: Sequence[float], share: float) -> float:
    """Return a quantile of at least one value, by a straight line between its neighbours."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
