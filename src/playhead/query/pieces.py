"""A metric taken apart into pieces that can be summed: what rollups keep, and how they are read.

A piece is made of rows (`made`), kept in rollup rows (`kept`), and both are put together (`joined`):
sums are added, sketches and sets of ids merged. A view in the rollup and a view read by itself
therefore give the same number, but for percentiles, which a sketch gives within `RELATIVE_ERROR`, and
many different ids, which are estimated.
"""

from typing import Final

import msgspec

from playhead.model.rollup import KEYS, UNROLLED, Column, Edge, Layout, RolledDimension, column
from playhead.query.catalogue import RELATIVE_ERROR, Catalogue, Metric, Sums, percentile_of
from playhead.query.statement import Params

_RATIO: Final = "sum(p0) / nullIf(sum(p1), 0)"
_UNIQ: Final = "uniqCombined"
_UNIQ_BITS: Final = 13
"""At most 6 KB a state, where `uniq` takes 256; exact up to 256 ids, then within about 1 %.

A state is merged number by number, 2 to the power of this many: a month of fifty groups is 1,400 states.
With 12 bits some ten thousand ids are told 3 % wrong.
"""
_UNIQ_CODEC: Final = "CODEC(NONE)"
"""States hardly get smaller, and to read them took a fifth longer."""
_FINER: Final = 1024
"""Sketches hold so many times the value: the engine's err by up to 3 % for numbers below one."""
_DISTINCT: Final = f"{_UNIQ}Merge({_UNIQ_BITS})({{}})"


class Piece(msgspec.Struct, frozen=True):
    """One aggregate: its column in a rollup, and the SQL of it at each stage."""

    column: Column
    part: str
    """Over views: the partial aggregate."""
    kept: str
    """Of one rollup row: the same. Not summed before both are: to merge states twice costs twice."""


class Taken(msgspec.Struct, frozen=True):
    """A measurement in pieces; `value` and `counted` are SQL over the columns `p0`, `p1` and so on."""

    pieces: tuple[Piece, ...]
    value: str
    counted: str
    relative_error: float = 0.0


def taken(metric: Metric, measurement: str) -> Taken | None:
    """Take a measurement apart; None where it is made of no sums (concurrency, other sources)."""
    if metric.source != "views" or not metric.rollup:
        return None
    own, measured = metric.resolved(measurement)
    count = _count(metric.counted(measurement))
    if own.kind == "count":
        return Taken((_count(metric.aggregate(measurement)), count), "sum(p0)", "sum(p1)")
    if own.kind == "distinct":
        return Taken((_distinct(own), count), _DISTINCT.format("p0"), "sum(p1)")
    sums = own.sums(measured)
    if sums is not None:
        return _of_sums(sums, count)
    if own.kind == "per":
        return _per(own, count)
    return _of_value(own, measured, count) if own.kind == "value" else None


def _of_sums(sums: Sums, count: Piece) -> Taken:
    above = _sum(sums.above, count)
    if sums.below is None:
        return Taken((above, count), "sum(p0)", "sum(p1)")
    return Taken((above, _sum(sums.below, count), count), f"{sums.scale} * {_RATIO}", "sum(p2)")


def _per(metric: Metric, count: Piece) -> Taken:
    above = _sum(f"sumIf({metric.numerator}, {metric.valid})", count)
    per = f"{metric.scale} * sum(p0) / nullIf({_DISTINCT.format('p1')}, 0)"
    return Taken((above, _distinct(metric), count), per, "sum(p2)")


def _of_value(metric: Metric, measurement: str, count: Piece) -> Taken | None:
    value = metric.value if metric.valid == "true" else f"if({metric.valid}, {metric.value}, NULL)"
    total = _sum(f"sum({value})", count)
    if measurement == "sum":
        return Taken((total, count), "sum(p0)", "sum(p1)")
    if measurement == "avg":
        return Taken((total, count), _RATIO, "sum(p1)")
    level = percentile_of(measurement)
    if level is None or not (metric.sketch or percentile_of(metric.allowed()[0]) is not None):
        return None  # a sketch is large: rarely asked percentiles are read of the views themselves
    merged = f"quantileDDMerge({RELATIVE_ERROR}, {level})(p0) / {_FINER}"
    return Taken((_sketch(value), count), merged, "sum(p1)", RELATIVE_ERROR)


def _count(made: str) -> Piece:
    one = column("n", "UInt64", made)
    return Piece(one, f"toUInt64({made})", one.name)


def _sum(made: str, count: Piece) -> Piece:
    """Return a sum: NULL, as over views, where no row has a number."""
    one = column("s", "Float64", f"ifNull(toFloat64({made}), 0)")
    kept = f"if({count.kept} = 0, NULL, {one.name})"
    return Piece(one, f"toFloat64({made})", kept)


def _distinct(metric: Metric) -> Piece:
    made = f"{_UNIQ}StateIf({_UNIQ_BITS})(CAST({metric.value}, 'String'), {metric.valid})"
    kind = f"AggregateFunction({_UNIQ}({_UNIQ_BITS}), String) {_UNIQ_CODEC}"
    one = column("u", kind, made)
    return Piece(one, made, one.name)


def _sketch(value: str) -> Piece:
    function = f"quantileDD({RELATIVE_ERROR}, 0.5)"  # any level can be read of any state
    state = f"quantileDDStateIf({RELATIVE_ERROR}, 0.5)"
    made = f"{state}({_FINER} * toFloat64(ifNull({value}, 0)), ({value}) IS NOT NULL)"
    one = column("q", f"AggregateFunction({function}, Float64)", made)
    return Piece(one, made, one.name)


def layout_of(catalogue: Catalogue) -> Layout:
    """Return the layout of the rollup that answers every question it can of this catalogue."""
    columns: dict[Edge, dict[str, Column]] = {"start": {}, "end": {}}
    for metric in catalogue.metrics.values():
        for measurement in metric.allowed() if metric.source == "views" else ():
            edge = edge_of(metric)
            found = taken(metric, measurement)
            if edge is None or found is None:
                continue
            columns[edge] |= {piece.column.name: piece.column for piece in found.pieces}
    params = Params()
    dimensions = tuple(
        RolledDimension(one.id, f"CAST({one.sql(params)}, 'String')")
        for one in catalogue.dimensions.values()
        if is_rolled(one.id)
    )
    return Layout({edge: tuple(found.values()) for edge, found in columns.items()}, dimensions)


def is_rolled(dimension: str) -> bool:
    """Return whether a rollup has rows cut by a dimension."""
    return dimension not in UNROLLED and dimension not in KEYS


def edge_of(metric: Metric) -> Edge | None:
    """Return the moment a metric counts a view at, None where it is another."""
    return metric.bucket if metric.bucket in {"start", "end"} else None
