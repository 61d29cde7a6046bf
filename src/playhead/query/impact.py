"""Impact: what a metric would be without some of its views, from sums alone.

A metric that is a count, a sum, or one sum over another keeps its parts: the parts of all views less
those of some are the parts of the rest, exactly.

Where one sum is divided by another, some views differ from the rest by chance, too. The parts keep sums of
squares, so the standard error of the difference is known: that of a ratio of sums (its residuals).
"""

import math
from statistics import NormalDist
from typing import Final

import msgspec

from playhead.query.catalogue import Metric

_SAME: Final = 0.9
"""A pair with this share of a part's views is that part under another name."""
_ROUNDING: Final = 1e-9
"""Differences below this share of the metric are no differences."""
_CERTAIN: Final = 1e-15
"""Smaller chances are not told apart: a normal distribution in floats ends here."""


class PartSql(msgspec.Struct, frozen=True):
    """SQL aggregates of a metric's parts; `below` None: the metric is `above` itself."""

    above: str
    below: str | None
    scale: float
    counted: str
    squares: tuple[str, str, str] = ("0", "0", "0")
    """Sums over the views of above x above, above x below, below x below; of no use without `below`."""


class Part(msgspec.Struct, frozen=True):
    """What some views give a metric: the sums above and below its line, and how many took part."""

    above: float
    below: float
    views: int
    squares: tuple[float, float, float] = (0, 0, 0)

    def less(self, other: "Part") -> "Part":
        """Return the part of the views that are not the other's."""
        first, second, third = (
            mine - its for mine, its in zip(self.squares, other.squares, strict=True)
        )
        return Part(
            self.above - other.above,
            self.below - other.below,
            self.views - other.views,
            (first, second, third),
        )

    def residual(self, ratio: float) -> float:
        """Return the squares of what each view has above its share at this ratio, summed."""
        both_above, mixed, both_below = self.squares
        return max(0.0, both_above - 2 * ratio * mixed + ratio * ratio * both_below)


class Drag(msgspec.Struct, frozen=True, kw_only=True):
    """How some views drag a metric; all but `relative`, `views` and `share` in the metric's unit."""

    impact: float
    """How much worse the metric is with them than without: negative = they make it better."""
    relative: float | None
    """The impact as a share of the metric over all views; None where that is 0."""
    own: float | None
    overall: float
    without: float
    views: int
    share: float


def part_sql(metric: Metric, measurement: str) -> PartSql | None:
    """Return the aggregates of a metric's parts, None where it has none that can be subtracted."""
    own, measured = metric.resolved(measurement)
    counted = own.counted(measured)
    if own.kind == "count":
        return PartSql(f"countIf({own.value})", None, 1.0, counted)
    sums = own.sums(measured)
    if sums is not None and sums.below is not None and own.kind == "weighted":
        squares = _squares(f"{own.value} * {own.weight}", own.weight, f"{own.value} IS NOT NULL")
        return PartSql(sums.above, sums.below, sums.scale, counted, squares)
    if sums is not None:
        squares = _squares(own.numerator, own.denominator, own.valid)
        return PartSql(sums.above, sums.below, sums.scale, counted, squares)
    if own.kind == "value" and measured in {"avg", "sum"}:
        value = f"if({own.valid}, {own.value}, NULL)"
        below = f"count({value})" if measured == "avg" else None
        squares = _squares(own.value, "1", f"{own.valid} AND ({own.value}) IS NOT NULL")
        return PartSql(f"ifNull(sum({value}), 0)", below, 1.0, counted, squares)
    return None


def _squares(above: str, below: str, valid: str) -> tuple[str, str, str]:
    """Return aggregates of the squares of what a view gives above and below the line (SQL)."""
    upper, lower = (f"ifNull(toFloat64({one}), 0)" for one in (above, below))
    products = (f"{upper} * {upper}", f"{upper} * {lower}", f"{lower} * {lower}")
    first, second, third = (f"sumIf({one}, {valid})" for one in products)
    return first, second, third


def value_of(parts: PartSql, part: Part) -> float | None:
    """Return a metric's value from its parts, None where nothing took part."""
    if parts.below is None:
        return part.above
    return parts.scale * part.above / part.below if part.views > 0 and part.below else None


def drag_of(metric: Metric, parts: PartSql, *, total: Part, part: Part) -> Drag | None:
    """Return how a part drags a metric, None where there is nothing with or without it.

    A metric of which more is better is dragged by what lowers it, any other by what raises it.
    """
    overall, without = value_of(parts, total), value_of(parts, total.less(part))
    if overall is None or without is None:
        return None
    impact = without - overall if metric.better == "higher" else overall - without
    return Drag(
        impact=impact,
        relative=impact / abs(overall) if overall else None,
        own=value_of(parts, part),
        overall=overall,
        without=without,
        views=part.views,
        share=part.views / total.views,
    )


def errors_of(parts: PartSql, *, total: Part, part: Part) -> float | None:
    """Return how many standard errors a part lies from the rest; None of a count or sum: no chance in it.

    A view's spread is that of the part's own views or of all views, whichever is larger: of few views
    that happen to be alike, nothing is certain. So a part of n views is at most about √n errors away.
    """
    if parts.below is None:
        return None
    rest = total.less(part)
    if not (part.below and rest.below and total.below and total.views):
        return 0.0
    difference = part.above / part.below - rest.above / rest.below
    overall = total.above / total.below
    if abs(difference) <= _ROUNDING * abs(overall):
        return 0.0
    usual = total.residual(overall) / total.views
    variance = sum(
        max(one.residual(overall), one.views * usual) / one.below**2 for one in (part, rest)
    )
    return abs(difference) / math.sqrt(variance) if variance else math.inf


def errors_needed(compared: int, chance_percent: float) -> float:
    """Return how many standard errors a difference needs to be listed (Bonferroni's correction).

    Args:
        compared: How many differences are looked at.
        chance_percent: How likely it may be that chance alone lists any of them; 100 and more: all are.
    """
    if chance_percent >= 100 or not compared:
        return 0.0
    chance = max(_CERTAIN, chance_percent / 100 / compared / 2)
    return NormalDist().inv_cdf(1 - chance)


def says_more(pair: Drag, first: Drag, second: Drag, *, percent: int) -> bool:
    """Return whether a pair says more than its parts.

    It holds the drag: its impact is at least `percent` of that of either part; and it is less than
    either: where a part has (almost) no other views, the pair is that part again.

    Args:
        pair: The views with both values.
        first: Those with the one.
        second: Those with the other.
        percent: Share of the larger single impact. A pair that holds all of a drag has just as much
            impact as its parts, whose other views are as good as the rest: above 100 only pairs are
            left whose parts are otherwise better than the rest.
    """
    strongest = max(first.impact, second.impact, 0.0)
    narrower = min(first.views, second.views)
    return (
        pair.impact > 0
        and pair.impact * 100 >= percent * strongest
        and pair.views < _SAME * narrower
    )
