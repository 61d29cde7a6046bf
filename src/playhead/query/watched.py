"""Content watched, as steps of a curve: SQL that turns the ranges of views into sums by bin.

A view counts in a bin when it watched any part of it, and once however often. Each range becomes a few
edges and the engine sums edges by bin, so the cost is that of the ranges, not of the seconds in them.
"""

# ruff: noqa: S608 (the text is this folder's own; whatever comes from outside is bound)

from typing import Final, Literal

import msgspec

from playhead.query.curve import Grid
from playhead.query.source import SOURCES
from playhead.query.statement import Params

Axis = Literal["content", "wall"]
VIEWS: Final = SOURCES["views"].rows()
BEGAN: Final = "content_startup_ms IS NOT NULL OR playing_ms > 0 OR notEmpty(watched_from_s)"
"""Views that showed content: the base of every share."""
UNKNOWN: Final = "playing_ms >= 1000 AND empty(watched_from_s)"
"""Views that played, but nobody said where."""
COVERED_S: Final = "(arraySum(watched_to_s) - arraySum(watched_from_s))"
"""Seconds of content a view watched, repeats counted once."""
REPEATING: Final = f"content_played_s > {COVERED_S} + 0.05"
"""Views that watched something again; less is rounding."""
_NEVER: Final = 2_147_483_647


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where positions lie: the axis, its origin (s of content, or ms UTC for wall), its bins."""

    axis: Axis
    origin: float
    grid: Grid


def presence_sql(place: Place, where: str, params: Params) -> str:
    """Return a SELECT of `bin, started, stopped, change, part` of the ranges, repeats once.

    `started` and `stopped` are views that begin, or end for now, watching in the bin; `change` and
    `part` are those of `curve.Step`.
    """
    width = params.add("Float64", place.grid.width_s)
    pieces = _pieces_sql(place, params)
    edges = (
        "arrayConcat("
        f"{_edges('low', 'arrayFilter((low, before) -> low > before, lows, befores)', '1, 0, 0, 0.')}, "
        f"{_edges('high - 1', 'arrayFilter((high, after) -> after > high, highs, afters)', '0, 1, 0, 0.', name='high')}, "
        f"arrayMap(p -> {_step('p.1', width, '1')}, pieces), "
        f"arrayMap(p -> {_step('p.2', width, '-1')}, pieces))"
    )
    return (
        "SELECT edge.1 AS bin, sum(edge.2) AS started, sum(edge.3) AS stopped, "
        "sum(edge.4) AS change, sum(edge.5) AS part FROM ("
        f"SELECT {edges} AS edges FROM ({bins_sql(pieces, width, f'{VIEWS} WHERE {where}')})"
        ") ARRAY JOIN edges AS edge GROUP BY bin ORDER BY bin"
    )


def bins_sql(pieces: str, width: str, rows: str, *, columns: str = "") -> str:
    """Return a SELECT of `pieces`, `lows`, `highs`, `befores`, `afters` a view.

    The bins of a piece go from its low up to (not including) its high; `befores` are the highs of the
    pieces before, `afters` the lows of those after: pieces that meet in a bin are one stay.
    """
    lows = f"arrayMap(p -> toInt32(floor(p.1 / {width})), pieces) AS lows"
    highs = f"arrayMap(p -> toInt32(ceil(p.2 / {width})), pieces) AS highs"
    return (
        f"SELECT {columns}{pieces} AS pieces, {lows}, {highs}, "
        "arraySlice(arrayPushFront(highs, toInt32(-1)), 1, length(lows)) AS befores, "
        f"arraySlice(arrayPushBack(lows, toInt32({_NEVER})), 2) AS afters FROM {rows}"
    )


def repeats_sql(place: Place, where: str, params: Params) -> str:
    """Return a SELECT of `bin, change, part` of the stretches that a view watched again.

    Of a view's playing intervals, by position, what an earlier one has covered already is a repeat.
    """
    width = params.add("Float64", place.grid.width_s)
    origin = params.add("Float64", place.origin)
    length = params.add("Float64", place.grid.length_s)
    # A way through content nobody watched was a jump within the interval: it ends with its range.
    until = "arrayFirst((high, low) -> low <= i.1 AND i.1 < high, watched_to_s, watched_from_s)"
    played = (
        f"SELECT view, interval.1 AS low, least(interval.2, interval.3) AS high FROM ("
        "SELECT cityHash64(view_id, property) AS view, "
        f"arrayMap(i -> (i.1, i.2, {until}), arrayFilter(i -> i.3 = 'playing' AND i.2 > i.1, "
        "arrayZip(interval_position_from_s, interval_position_to_s, interval_state))) AS intervals "
        f"FROM {VIEWS} WHERE {where} AND {REPEATING}"
        ") ARRAY JOIN intervals AS interval WHERE high > low"
    )
    covered = (
        "max(high) OVER (PARTITION BY view ORDER BY low, high "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    )
    again = f"SELECT low, least(high, {covered}) AS seen FROM ({played})"
    return (
        "SELECT edge.1 AS bin, sum(edge.4) AS change, sum(edge.5) AS part FROM ("
        f"SELECT greatest(low - {origin}, 0.) AS a, least(seen - {origin}, {length}) AS b "
        f"FROM ({again}) WHERE b > a) "
        f"ARRAY JOIN [{_step('a', width, '1')}, {_step('b', width, '-1')}] AS edge "
        "GROUP BY bin ORDER BY bin"
    )


def _pieces_sql(place: Place, params: Params) -> str:
    """Return SQL for a view's ranges on the axis: an array of (from, to) seconds, cut to its length."""
    origin = params.add("Float64", place.origin)
    length = params.add("Float64", place.grid.length_s)
    if place.axis == "content":
        ranges, scale = "arrayZip(watched_from_s, watched_to_s)", ""
    else:
        zipped = "arrayZip(interval_from, interval_to, interval_state)"
        ranges, scale = f"arrayFilter(i -> i.3 = 'playing', {zipped})", " / 1000"
    return (
        f"arrayFilter(p -> p.2 > p.1, arrayMap(r -> (greatest((r.1 - {origin}){scale}, 0.), "
        f"least((r.2 - {origin}){scale}, {length})), {ranges}))"
    )


def _edges(bin_: str, bins: str, rest: str, *, name: str = "low") -> str:
    return f"arrayMap({name} -> (toInt32({bin_}), {rest}), {bins})"


def _step(at: str, width: str, sign: str) -> str:
    """Return the edge at a position: its bin and what it adds to `change` and `part`."""
    bin_ = f"toInt32(floor({at} / {width}))"
    return f"({bin_}, 0, 0, {sign}, {sign} * (({bin_} + 1) * {width} - {at}))"
