"""Impact: what a metric would be without some of its views, from sums alone.

A metric that is a count, a sum, or one sum over another keeps its parts: the parts of all views less
those of some are the parts of the rest, exactly.
"""

from typing import Final

import msgspec

from playhead.query.catalogue import Metric

_SAME: Final = 0.9
"""A pair with this share of a part's views is that part under another name."""


class PartSql(msgspec.Struct, frozen=True):
    """SQL aggregates of a metric's parts; `below` None: the metric is `above` itself."""

    above: str
    below: str | None
    scale: float
    counted: str


class Part(msgspec.Struct, frozen=True):
    """What some views give a metric: the sums above and below its line, and how many took part."""

    above: float
    below: float
    views: int

    def less(self, other: "Part") -> "Part":
        """Return the part of the views that are not the other's."""
        return Part(self.above - other.above, self.below - other.below, self.views - other.views)


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
    if sums is not None:
        return PartSql(sums.above, sums.below, sums.scale, counted)
    if own.kind == "value" and measured in {"avg", "sum"}:
        value = f"if({own.valid}, {own.value}, NULL)"
        below = f"count({value})" if measured == "avg" else None
        return PartSql(f"ifNull(sum({value}), 0)", below, 1.0, counted)
    return None


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
